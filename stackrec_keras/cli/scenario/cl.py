"""CL: continual learning, a deeper net for more data."""

import argparse
from itertools import pairwise

from stackrec_keras.cli.scenario.stages import Release, add_stage_options, read_stages
from stackrec_keras.cli.scenario.ts import FasterTraining
from stackrec_keras.runs.config import check_share_by

_CONVOLUTIONAL = Release(blocks=16, count=2, ratio=1, epochs=28)
_TRANSFORMERS = Release(blocks=18, count=2, ratio=1, epochs=28, top_blocks=6)
_RELEASES = {
    "nextitnet": _CONVOLUTIONAL,
    "grec": _CONVOLUTIONAL,
    "sasrec": _TRANSFORMERS,
    "ssept": _TRANSFORMERS,
}
_RATIOS = (0.8,)


class ContinualLearning(FasterTraining):
    """A share of the data at first, all of it at last. See `FasterTraining`."""

    name = "cl"
    help = "continual learning: a share of the data at first, all of it at last"
    description = """\
Continual learning: a shallow net on a share of the training rows, stacked, then on all
of them, in one fit; beside the deep net from scratch on all rows for as many epochs,
and the shallow net on all rows for as long. The rows of a share are among those of
larger ones: random rows as in the release, or, with --share-by time, the oldest; then
the split is by time too, so that nothing is learned from the future.

At --scale 1 depths (16 and 32 blocks: dilation count 8, 16; sasrec and ssept 18 and 24,
the top 6 stacked), data ratio and batch size are the release's; stages have equal
epochs, 28 in all.
"""
    # A run loaded has seen all rows, and there is no more data to come.
    without = ("data_shares", "load_model")

    def __init__(self, args, typed):
        if typed.get("share_by") == "time":
            typed = {"split": "time", **typed}
        super().__init__(args, typed)
        check_share_by(self.config)

    @staticmethod
    def add_options(parser):
        add_stage_options(parser).add_argument(
            "--data-ratio",
            type=_decimals,
            default=argparse.SUPPRESS,
            metavar="X,X,...",
            help="share of the training rows in each stage but the last, which has "
            f"all (default: {_RATIOS[0]})",
        )

    def _read_stages(self, args, model):
        ratios = getattr(args, "data_ratio", _RATIOS)
        if not all(a < b for a, b in pairwise([0.0, *ratios, 1.0])):
            raise ValueError(
                f"--data-ratio {','.join(map(str, ratios))} must rise from above 0 to "
                "below 1, such as 0.4,0.8."
            )
        return read_stages(args, model, _RELEASES[model], (*ratios, 1.0))


def _decimals(text):
    return tuple(float(part) for part in text.split(","))
