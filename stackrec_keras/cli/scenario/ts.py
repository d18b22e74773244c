"""TS: training a deep net from scratch, faster."""

from dataclasses import replace

from stackrec_keras.cli.config import TrainConfig
from stackrec_keras.cli.scenario.arms import keep_best, shallow_as_long
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
    decided = {
        "batch_size": scaled_batch_size(args, model),
        "num_blocks": stages.depths[0],
        "schedule": stages.schedule,
        "epochs": stages.epochs,
    }
    return TrainConfig(**typed | decided), stages


def train_arms(arms, config, stages):
    """Trains the arms of one seed."""
    stacked = arms.train("stacked", keep_best(config))
    deep = replace(config, num_blocks=stages.depths[-1], schedule="none")
    arms.train("from scratch", keep_best(deep))
    arms.train("shallow, as long", shallow_as_long(config, stacked.seconds))
