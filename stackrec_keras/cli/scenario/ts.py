"""TS: training a deep net from scratch, faster."""

from stackrec_keras.cli.scenario.stages import (
    Release,
    add_stage_options,
    read_stages,
    scaled_batch_size,
)
from stackrec_keras.runs.config import TrainConfig

_RELEASE = Release(blocks=8, count=3, ratio=2, epochs=28)


class FasterTraining:
    """All data at every stage.

    Args:
        args: The parsed options.
        typed: Dict of the fields of `TrainConfig` that were typed.

    Attributes:
        config: `TrainConfig` that those of all arms are made from.
        stages: `Stages` of the stacked net.
        split: What the arms are trained and tested on, once `read` was called.
    """

    name = "ts"
    help = "training from scratch, faster: all data at every stage"
    description = """\
Training from scratch, faster: a net that grows on all data, beside the deep net from
scratch for as many epochs, and the shallow net for as long.

At --scale 1 depths (8, 16 and 32 blocks: dilation count 4, 8, 16) and batch size are
the release's. Of its budgets (50, 100 and 200 thousand steps) the ratio 1:2:4 is kept;
the whole is 28 epochs.
"""
    # Of `TrainConfig`, no options here.
    without: tuple[str, ...] = ("data_shares", "share_by")

    def __init__(self, args, typed):
        from stackrec_keras.runs.growth_options import stacking_callback

        model = typed.get("model", TrainConfig.model)
        self.stages = self._read_stages(args, model)
        batch_size = scaled_batch_size(args, model)
        self.config = TrainConfig(**{**typed, "batch_size": batch_size})
        stacking_callback(self.stages.of(self.config))  # an error comes before the data
        self.split = None

    @staticmethod
    def add_options(parser):
        """Adds the options that are no fields of `TrainConfig`."""
        add_stage_options(parser)

    def _read_stages(self, args, model):
        return read_stages(args, model, _RELEASE)

    def read(self):
        """Reads the data."""
        from stackrec_keras.runs.split_recipe import make_split

        self.split = make_split(self.config)

    def train_arms(self, arms):
        """Trains the `Arms` of one seed."""
        config, stages = self.config, self.stages
        stacked = arms.train("stacked", stages.of(config))
        arms.train("from scratch", stages.deep(config))
        arms.train("shallow, as long", stages.shallow(config, stacked.seconds))
