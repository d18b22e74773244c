"""TS: training a deep net from scratch, faster."""

from stackrec_keras.cli.config import TrainConfig
from stackrec_keras.cli.scenario.stages import read_stages, scaled_batch_size

NAME = "ts"
HELP = "training from scratch, faster: all data at every stage"
DESCRIPTION = """\
Training from scratch, faster: a net that grows on all data, beside the deep net from
scratch for as many epochs, and the shallow net for as long.

At --scale 1 depths (8, 16 and 32 blocks: dilation count 4, 8, 16) and batch size are
the release's. Of its budgets (50, 100 and 200 thousand steps) the ratio 1:2:4 is kept;
the whole is 28 epochs.
"""

_BLOCKS, _SHARES, _EPOCHS = 8, (1, 2, 4), 28


def configuration(args, typed):
    """Returns the `TrainConfig` of the stacked net and its `Stages`."""
    model = typed.get("model", TrainConfig.model)
    stages = read_stages(args, model, _BLOCKS, _SHARES, _EPOCHS)
    typed = typed | {"batch_size": scaled_batch_size(args, model)}
    return TrainConfig(**typed), stages


def train_arms(arms, config, stages):
    """Trains the arms of one seed."""
    stacked = arms.train("stacked", stages.of(config))
    arms.train("from scratch", stages.deep(config))
    arms.train("shallow, as long", stages.shallow(config, stacked.seconds))
