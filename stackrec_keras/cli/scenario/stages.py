"""Depth and length of each stage, as typed or as the release has them, scaled."""

import argparse
from dataclasses import dataclass, replace

from stackrec_keras.cli.config import integers

_SCALE = 0.5
_NO_END = 1_000_000  # epochs: seconds decide
_CONVOLUTIONAL = ("nextitnet", "grec")
_BATCH_SIZES = {"nextitnet": 256, "grec": 1024, "sasrec": 256, "ssept": 128}


@dataclass(frozen=True)
class Stages:
    """The stages of a run.

    Args:
        depths: Tuple of integers, the blocks of each stage.
        shares: Tuple of integers, the length of each stage, relative to the others.
        epochs: Integer, the length of all stages together.

    Raises:
        ValueError: If they do not fit, or a net would not grow.
    """

    depths: tuple
    shares: tuple
    epochs: int

    def __post_init__(self):
        depths, shares = (
            ",".join(map(str, numbers)) for numbers in (self.depths, self.shares)
        )
        if len(self.depths) < 2 or list(self.depths) != sorted(set(self.depths)):
            raise ValueError(
                f"--stages {depths} must be at least two depths, each deeper than the "
                "one before, such as 4,8,16."
            )
        if self.depths[0] < 1:
            raise ValueError(f"--stages {depths}: a net has at least one block.")
        if len(self.shares) != len(self.depths) or min(self.shares) < 1:
            raise ValueError(
                f"--shares {shares} must be a number from 1 up for each of the "
                f"{len(self.depths)} stages ({depths} blocks), such as 1,2,4."
            )
        if self.epochs < len(self.depths):
            raise ValueError(
                f"--epochs {self.epochs} is too few for {len(self.depths)} stages "
                f"({depths} blocks). Give at least {len(self.depths)}."
            )

    def of(self, config):
        """Returns a `TrainConfig` with these stages.

        With `--load-model` the first stage is over: its epochs are left out, and the
        net grows at once.
        """
        from stackrec_keras.stacking.schedule import stages

        starts = stages(self.depths, self.shares, self.epochs)
        over = min(starts) if config.load_model else 0
        pairs = [f"{epoch - over}:{depth}" for epoch, depth in starts.items()]
        return replace(
            config,
            num_blocks=self.depths[0],
            schedule=",".join(pairs),
            epochs=self.epochs - over,
        )

    def deep(self, config):
        """Returns a `TrainConfig` of the deepest net from scratch, for all epochs."""
        return replace(
            config,
            num_blocks=self.depths[-1],
            schedule="none",
            epochs=self.epochs,
            load_model=None,
        )

    def shallow(self, config, seconds):
        """Returns a `TrainConfig` of the shallowest net from scratch, for as many
        seconds."""
        return replace(
            config,
            num_blocks=self.depths[0],
            schedule="none",
            epochs=_NO_END,
            max_seconds=seconds,
            load_model=None,
        )


def add_stage_options(parser):
    """Adds the options that `read_stages` and `scaled_batch_size` read."""
    group = parser.add_argument_group("stages")

    def option(name, type, metavar, help):
        group.add_argument(
            name, type=type, metavar=metavar, help=help, default=argparse.SUPPRESS
        )

    group.add_argument(
        "--scale",
        type=float,
        default=_SCALE,
        metavar="X",
        help="for a small machine: that share of the release's blocks and batch "
        "size, and of the epochs of full scale. 1 is the release's size (default: "
        f"{_SCALE}). The options below go before it",
    )
    option("--stages", integers, "N,N,...", "blocks of each stage, however many")
    option("--shares", integers, "N,N,...", "length of each stage, in shares of epochs")
    option("--num-blocks", int, "N", "blocks of the first stage")
    option(
        "--dilation-count",
        int,
        "N",
        "nextitnet and grec: half the blocks of the first stage, as the release "
        "counts them",
    )
    option("--epochs", int, "N", "passes over the training rows, all stages together")
    option("--batch-size", int, "N", "rows a batch")


def read_stages(args, model, release_blocks, release_shares, full_epochs):
    """Returns the `Stages` that were asked for.

    Args:
        args: The parsed options.
        model: String, `--model`.
        release_blocks: Integer, blocks of the release's first stage.
        release_shares: Tuple of integers, its stages' lengths.
        full_epochs: Integer, epochs at `--scale 1`.

    Raises:
        ValueError: If the options do not fit.
    """
    if not args.scale > 0:
        raise ValueError(f"--scale {args.scale} must be above 0, such as {_SCALE}.")
    shares = getattr(args, "shares", None)
    depths = getattr(args, "stages", None)
    first = _first_depth(args, model)
    if depths is None:
        first = first or _scaled(release_blocks, args.scale)
        depths = _growing(first, len(shares or release_shares), args)
    if shares is None:
        shares = release_shares
        if len(shares) != len(depths):  # each stage twice as long as the one before
            shares = tuple(2**i for i in range(len(depths)))
    epochs = getattr(args, "epochs", None)
    if epochs is None:
        epochs = max(len(depths), _scaled(full_epochs, args.scale))
    return Stages(tuple(depths), tuple(shares), epochs)


def scaled_batch_size(args, model):
    """Returns `--batch-size`, by default the release's, scaled."""
    return getattr(args, "batch_size", _scaled(_BATCH_SIZES[model], args.scale))


def _first_depth(args, model):
    """The depth that `--num-blocks` or `--dilation-count` says, or None."""
    typed = [
        option
        for option in ("stages", "num_blocks", "dilation_count")
        if hasattr(args, option)
    ]
    if len(typed) > 1:
        names = " and ".join("--" + name.replace("_", "-") for name in typed)
        raise ValueError(f"{names} each say how deep the first stage is. Give one.")
    if "dilation_count" in typed and model not in _CONVOLUTIONAL:
        raise ValueError(
            f"--dilation-count is an option of --model {' and '.join(_CONVOLUTIONAL)}, "
            f"not of {model}. Use --num-blocks."
        )
    if "dilation_count" in typed:
        return _at_least_one("--dilation-count", args.dilation_count) * 2
    if "num_blocks" in typed:
        return _at_least_one("--num-blocks", args.num_blocks)
    return None


def _at_least_one(option, value):
    if value < 1:
        raise ValueError(f"{option} {value} must be at least 1.")
    return value


def _growing(first, count, args):
    """Each stage doubles the depth, or adds `--top-blocks`."""
    depths = [first]
    for _ in range(count - 1):
        depths.append(depths[-1] + getattr(args, "top_blocks", depths[-1]))
    return depths


def _scaled(value, scale):
    return max(1, round(value * scale))
