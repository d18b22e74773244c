"""Depth and length of each stage, as typed or as the release has them, scaled."""

from dataclasses import dataclass, replace
from itertools import pairwise

from stackrec_keras.runs.config import CONVOLUTIONAL

SCALE = 0.5
_NO_END = 1_000_000  # epochs: seconds decide
# The release's, where it is another.
_BATCH_SIZE, _BATCH_SIZES = 256, {"grec": 1024, "ssept": 128}


@dataclass(frozen=True)
class Release:
    """The stages of a scenario of the release, at full scale.

    Args:
        blocks: Integer, the blocks of the first stage.
        count: Integer, how many stages.
        ratio: Integer, how much longer each stage is than the one before.
        epochs: Integer, the length of all stages together.
        top_blocks: Integer, how many blocks each stage adds; `None` doubles them.
    """

    blocks: int
    count: int
    ratio: int
    epochs: int
    top_blocks: int | None = None


@dataclass(frozen=True)
class StageOptions:
    """What someone asks of the stages. `None` leaves it to `Release` and scale.

    Args:
        scale: Float, what the release's blocks, batch size and epochs are scaled by.
        stages: Tuple of integers, the blocks of each stage.
        shares: Tuple of integers, the length of each stage, relative to the others.
        num_blocks: Integer, the blocks of the first stage.
        dilation_count: Integer, half of them, for a convolutional model.
        epochs: Integer, the length of all stages together.
        batch_size: Integer.
        top_blocks: Integer, how many blocks each stage adds.
    """

    scale: float = SCALE
    stages: tuple | None = None
    shares: tuple | None = None
    num_blocks: int | None = None
    dilation_count: int | None = None
    epochs: int | None = None
    batch_size: int | None = None
    top_blocks: int | None = None


@dataclass(frozen=True)
class Stages:
    """The stages of a run.

    Args:
        depths: Tuple of integers, the blocks of each stage.
        shares: Tuple of integers, the length of each stage, relative to the others.
        epochs: Integer, the length of all stages together.
        top_blocks: Integer or `None`, as `TrainConfig.top_blocks`.
        data_shares: Tuple of the share of the rows in each stage; empty for all
            rows, always.

    Raises:
        ValueError: If they do not fit, or a net would not grow.
    """

    depths: tuple
    shares: tuple
    epochs: int
    top_blocks: int | None = None
    data_shares: tuple = ()

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
        if self.data_shares and len(self.data_shares) != len(self.depths):
            raise ValueError(
                f"--data-ratio makes {len(self.data_shares)} stages, the last one on "
                f"all rows, and there are {len(self.depths)} ({depths} blocks). Give "
                "a ratio for each stage but the last."
            )
        if self.epochs < len(self.depths):
            raise ValueError(
                f"--epochs {self.epochs} is too few for {len(self.depths)} stages "
                f"({depths} blocks). Give at least {len(self.depths)}."
            )
        self._check_top_blocks(depths)

    def of(self, config):
        """Returns a `TrainConfig` with these stages.

        With `--load-model` the first stage is over: its epochs are left out, and the
        net grows at once.
        """
        from stackrec_keras.stacking.methods import get_method
        from stackrec_keras.stacking.schedules import stages

        starts = stages(self.depths, self.shares, self.epochs)
        over = min(starts) if config.load_model else 0
        shares = {}
        if self.data_shares:
            shares = dict(zip([0, *starts], self.data_shares, strict=True))
        return replace(
            config,
            num_blocks=self.depths[0],
            schedule=_pairs(starts, over),
            data_shares=_pairs(shares, over) or None,
            # Without blocks to keep, they only say how many come.
            top_blocks=self.top_blocks
            if get_method(config.method).keeps_rest
            else None,
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

    def _check_top_blocks(self, depths):
        from stackrec_keras.stacking import block_sources

        try:
            for old, new in pairwise(self.depths):
                block_sources("stackC", old, new, self.top_blocks)
        except ValueError as error:
            raise ValueError(
                f"--top-blocks {self.top_blocks} does not fit stages of {depths} "
                f"blocks: {error}"
            ) from error


def read_stages(options, model, release, data_shares=()):
    """Returns the `Stages` that were asked for.

    Args:
        options: `StageOptions`.
        model: String, `--model`.
        release: `Release`, what holds where nothing was asked for.
        data_shares: Tuple, as in `Stages`.

    Raises:
        ValueError: If the options do not fit.
    """
    if not options.scale > 0:
        raise ValueError(f"--scale {options.scale} must be above 0, such as {SCALE}.")
    shares = options.shares
    depths = options.stages
    top_blocks = options.top_blocks
    first = _first_depth(options, model)
    if depths is None:
        if top_blocks is None and release.top_blocks is not None:
            top_blocks = scaled(release.top_blocks, options.scale)
        first = first or scaled(release.blocks, options.scale)
        count = len(data_shares or shares or range(release.count))
        depths = _growing(first, count, top_blocks)
    if shares is None:
        shares = [release.ratio**i for i in range(len(depths))]
    epochs = options.epochs
    if epochs is None:
        epochs = max(len(depths), scaled(release.epochs, options.scale))
    return Stages(tuple(depths), tuple(shares), epochs, top_blocks, data_shares)


def scaled(value, scale):
    """Returns an integer of the release, scaled."""
    return max(1, round(value * scale))


def scaled_batch_size(options, model):
    """Returns `--batch-size`, by default the release's, scaled."""
    if options.batch_size is not None:
        return options.batch_size
    return scaled(_BATCH_SIZES.get(model, _BATCH_SIZE), options.scale)


def _first_depth(options, model):
    """The depth that `--num-blocks` or `--dilation-count` says, or None."""
    typed = [
        name
        for name in ("stages", "num_blocks", "dilation_count")
        if getattr(options, name) is not None
    ]
    if len(typed) > 1:
        names = " and ".join("--" + name.replace("_", "-") for name in typed)
        raise ValueError(f"{names} each say how deep the first stage is. Give one.")
    if "dilation_count" in typed and model not in CONVOLUTIONAL:
        raise ValueError(
            f"--dilation-count is an option of --model {' and '.join(CONVOLUTIONAL)}, "
            f"not of {model}. Use --num-blocks."
        )
    if "dilation_count" in typed:
        return _at_least_one("--dilation-count", options.dilation_count) * 2
    if "num_blocks" in typed:
        return _at_least_one("--num-blocks", options.num_blocks)
    return None


def _at_least_one(option, value):
    if value < 1:
        raise ValueError(f"{option} {value} must be at least 1.")
    return value


def _growing(first, count, top_blocks):
    """Each stage doubles the depth, or adds `top_blocks`."""
    depths = [first]
    for _ in range(count - 1):
        depths.append(depths[-1] + (top_blocks or depths[-1]))
    return depths


def _pairs(table, over):
    """`"0:8,4:16"` for a table by epoch, counted without the `over` first epochs."""
    return ",".join(f"{e - over}:{value}" for e, value in table.items() if e >= over)
