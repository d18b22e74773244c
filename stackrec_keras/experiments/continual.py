"""CL: continual learning, a deeper net for more data."""

from collections.abc import Sequence
from itertools import pairwise
from os import PathLike

from stackrec_keras.experiments.experiment import Experiment, run_experiment
from stackrec_keras.experiments.from_scratch import FasterTraining
from stackrec_keras.experiments.stages import Release, read_stages
from stackrec_keras.runs.config import CONVOLUTIONAL, check_share_by

_CONVOLUTIONAL = Release(blocks=16, count=2, ratio=1, epochs=28)
_TRANSFORMERS = Release(blocks=18, count=2, ratio=1, epochs=28, top_blocks=6)


class ContinualLearning(FasterTraining):
    """A share of the data at first, all of it at last. See `FasterTraining`."""

    name = "cl"
    # A run loaded has seen all rows, and there is no more data to come.
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
            raise ValueError(
                f"--data-ratio {','.join(map(str, ratios))} must rise from above 0 to "
                "below 1, such as 0.4,0.8."
            )
        release = _CONVOLUTIONAL if model in CONVOLUTIONAL else _TRANSFORMERS
        return read_stages(options, model, release, (*ratios, 1.0))


def continual(
    out: str | PathLike, seeds: Sequence[int] = (0,), **options
) -> Experiment:
    """Learns continually, a deeper model for more data, as `stackrec scenario cl` does.

    A shallow model on a share of the training rows, stacked, then on all of them;
    beside the deep model from scratch and the shallow one, both on all rows.

    Args:
        out: The folder to write.
        seeds: Sequence of integers. Defaults to `(0,)`.
        **options: As those of `from_scratch`, with `share_by` and `data_ratio`, the
            share of the training rows in each stage but the last. Defaults to
            `(0.8,)`.

    Returns:
        An `Experiment`.

    Raises:
        ValueError: If the options do not fit, or the folder holds runs with others.
    """
    return run_experiment(ContinualLearning, out, seeds, options)
