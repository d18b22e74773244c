"""The depth and length of each stage, as given or scaled from the reference."""

from dataclasses import dataclass, replace
from itertools import pairwise

from stackrec_keras.arguments import check_integer
from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.registry import CONVOLUTIONAL
from stackrec_keras.wording import agreeing, counted

SCALE = 0.5
_NO_END = 1_000_000  # epochs, for training that a time limit ends
# The reference implementation's batch sizes: the default, and two exceptions.
_BATCH_SIZE, _BATCH_SIZES = 256, {"grec": 1024, "ssept": 128}


@dataclass(frozen=True)
class Release:
    """The stages of an experiment in the reference implementation, at full scale.

    Args:
        blocks: Integer, the blocks of the first stage.
        count: Integer, the number of stages.
        ratio: Integer, the length of each stage relative to the stage before it.
        epochs: Integer, the number of epochs of all stages together.
        top_blocks: Integer, the blocks that each stage adds. Defaults to `None`, which
            doubles the depth.
    """

    blocks: int
    count: int
    ratio: int
    epochs: int
    top_blocks: int | None = None


@dataclass(frozen=True)
class StageOptions:
    """Options of the stages. Options that are `None` follow from `Release` and the
    scale.

    Args:
        scale: Float, the factor by which the blocks, batch size and epochs of the
            reference implementation are multiplied.
        stages: Tuple of integers, the blocks of each stage.
        shares: Tuple of integers, the length of each stage, relative to the others.
        num_blocks: Integer, the blocks of the first stage.
        dilation_count: Integer, half the blocks of the first stage, for a
            convolutional model.
        epochs: Integer, the number of epochs of all stages together.
        batch_size: Integer, the number of rows in a batch.
        top_blocks: Integer, the blocks that each stage adds.
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
        epochs: Integer, the number of epochs of all stages together.
        top_blocks: Integer or `None`, as `TrainConfig.top_blocks`.
        data_shares: Tuple, the fraction of the rows in each stage. Defaults to `()`:
            all rows in every stage.

    Raises:
        ArgumentError: If the arguments do not go together, or the model would not grow.
    """

    depths: tuple
    shares: tuple
    epochs: int
    top_blocks: int | None = None
    data_shares: tuple = ()

    def __post_init__(self):
        count = len(self.depths)
        depths = ",".join(map(str, self.depths))
        is_or_are = agreeing(count, "is", "are")
        are = f"there {is_or_are} {counted(count, 'stage')} ({depths} blocks)"
        if count < 2 or list(self.depths) != sorted(set(self.depths)):
            raise ArgumentError(
                "stages",
                "must be at least two depths, each greater than the one before, such "
                "as 4,8,16",
                received=self.depths,
            )
        if self.depths[0] < 1:
            reason = "must begin with at least one block"
            raise ArgumentError("stages", reason, received=self.depths)
        if len(self.shares) != count or min(self.shares) < 1:
            raise ArgumentError(
                "shares",
                f"must have an integer of at least 1 for each stage, but {are}",
                received=self.shares,
            )
        if self.data_shares and len(self.data_shares) != count:
            raise ArgumentError(
                "data_ratio",
                f"must have a fraction for each stage except the last, but {are}",
                received=self.data_shares[:-1],
            )
        if self.epochs < count:
            reason = f"must be at least one for each stage, but {are}"
            raise ArgumentError("epochs", reason, received=self.epochs)
        self._check_top_blocks(depths)

    def of(self, config):
        """Returns a `TrainConfig` with these stages.

        With `load_model`, the first stage is already over: its epochs are left out,
        and the model grows at once.
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
            # If the method keeps no blocks, `top_blocks` determines only the depths.
            top_blocks=self.top_blocks
            if get_method(config.method).keeps_rest
            else None,
            epochs=self.epochs - over,
        )

    def deep(self, config):
        """Returns a `TrainConfig` of the deepest model from scratch, for all epochs."""
        return replace(
            config,
            num_blocks=self.depths[-1],
            schedule="none",
            epochs=self.epochs,
            load_model=None,
        )

    def shallow(self, config, seconds):
        """Returns a `TrainConfig` of the shallowest model from scratch, for a number of
        seconds."""
        return replace(
            config,
            num_blocks=self.depths[0],
            schedule="none",
            epochs=_NO_END,
            max_seconds=seconds,
            load_model=None,
        )

    def trained_on(self, config, seconds):
        """Returns a `TrainConfig` of the shallowest model, which is trained on the rows
        of each stage without growing, for a number of seconds."""
        shares = self.of(config).data_shares
        return replace(self.shallow(config, seconds), data_shares=shares)

    def _check_top_blocks(self, depths):
        from stackrec_keras.stacking import block_sources

        try:
            for old, new in pairwise(self.depths):
                block_sources("stackC", old, new, self.top_blocks)
        except ValueError as error:
            raise ArgumentError(
                "top_blocks",
                f"does not fit stages of {depths} blocks: each stage after the first "
                "must add exactly this many, to a model that has at least this many",
                received=self.top_blocks,
            ) from error


def read_stages(options, model, release, data_shares=()):
    """Returns the `Stages` that were asked for.

    Args:
        options: `StageOptions`.
        model: String, the name of the architecture.
        release: `Release`, the defaults.
        data_shares: Tuple, as in `Stages`. Defaults to `()`.

    Raises:
        ArgumentError: If the options do not go together.
    """
    if not options.scale > 0:
        raise ArgumentError("scale", "must be above 0", received=options.scale)
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
    """Scales an integer of the reference implementation."""
    return max(1, round(value * scale))


def scaled_batch_size(options, model):
    """Returns the batch size, by default scaled from the reference implementation."""
    if options.batch_size is not None:
        return options.batch_size
    return scaled(_BATCH_SIZES.get(model, _BATCH_SIZE), options.scale)


def _first_depth(options, model):
    """Returns the depth of the first stage if an option gives it, else `None`."""
    given = [
        name
        for name in ("stages", "num_blocks", "dilation_count")
        if getattr(options, name) is not None
    ]
    if not given:
        return None
    name, *others = given
    value = getattr(options, name)
    if others:
        reason = f"gives the depth of the first stage, and so does {others[0]}"
        raise ArgumentError(name, reason, "Give one of them.", value)
    if name == "stages":
        return None
    check_integer(name, value, least=1)
    if name == "num_blocks":
        return value
    if model not in CONVOLUTIONAL:
        raise ArgumentError(
            name,
            f"is an option of {' and '.join(CONVOLUTIONAL)} only, but the model is "
            f"{model}",
            "Give the number of blocks.",
            value,
        )
    return 2 * value


def _growing(first, count, top_blocks):
    """Returns depths, each twice the one before, or `top_blocks` deeper."""
    depths = [first]
    for _ in range(count - 1):
        depths.append(depths[-1] + (top_blocks or depths[-1]))
    return depths


def _pairs(table, over):
    """Returns a table as text (`"0:8,4:16"`), from epoch `over`, which becomes 0."""
    return ",".join(f"{e - over}:{value}" for e, value in table.items() if e >= over)
