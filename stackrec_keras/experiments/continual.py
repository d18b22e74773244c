"""CL: continual learning, a deeper model for more data."""

from collections.abc import Sequence
from itertools import pairwise
from os import PathLike

from stackrec_keras.errors import ArgumentError
from stackrec_keras.experiments.experiment import Experiment, run_experiment
from stackrec_keras.experiments.from_scratch import FasterTraining
from stackrec_keras.experiments.stages import Release, read_stages
from stackrec_keras.models.registry import CONVOLUTIONAL
from stackrec_keras.runs.option_checks import check_share_by

_CONVOLUTIONAL = Release(blocks=16, count=2, ratio=1, epochs=28)
_TRANSFORMERS = Release(blocks=18, count=2, ratio=1, epochs=28, top_blocks=6)


class ContinualLearning(FasterTraining):
    """Trains first on a fraction of the data, then on all. See `FasterTraining`."""

    name = "cl"
    # No `load_model`, because a loaded run has already seen all rows.
    without = ("data_shares", "load_model")
    own = {"data_ratio": (0.8,)}

    def __init__(self, options):
        if options.get("share_by") == "time":
            options = {"split": "time", **options}
        super().__init__(options)
        check_share_by(self.config)

    def _read_stages(self, options, model):
        ratios = self.options["data_ratio"]
        if not all(a < b for a, b in pairwise([0.0, *ratios, 1.0])):
            raise ArgumentError(
                "data_ratio",
                "must increase, and be above 0 and below 1, such as 0.4,0.8",
                received=ratios,
            )
        release = _CONVOLUTIONAL if model in CONVOLUTIONAL else _TRANSFORMERS
        return read_stages(options, model, release, (*ratios, 1.0))

    def train_arms(self, arms):
        stacked = super().train_arms(arms)
        config = self.stages.trained_on(self.config, stacked.seconds)
        arms.train("shallow, trained on", config)
        return stacked


def continual(
    out: str | PathLike, seeds: Sequence[int] = (0,), **options
) -> Experiment:
    """Runs the continual-learning scenario, as `stackrec scenario cl` does.

    Trains a shallow model on a fraction of the training rows, stacks it, and trains it
    on all rows. For comparison, also trains the shallow model on the same rows without
    stacking it, and two models on all rows from the start: the deep one and the shallow
    one.

    Args:
        out: The folder to write.
        seeds: Sequence of integers. Defaults to `(0,)`.
        **options: The options of `from_scratch`, and also `share_by` and `data_ratio`.
            `data_ratio` has the fraction of the training rows for each stage except
            the last, which uses all rows. It defaults to `(0.8,)`.

    Returns:
        An `Experiment`.

    Raises:
        ArgumentError: If the options do not go together, or differ from those of the
            runs in the folder.
    """
    return run_experiment(ContinualLearning, out, seeds, options)
