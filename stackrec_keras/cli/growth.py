"""How a run grows, from its configuration."""

from stackrec_keras.stacking import StackingCallback, StackingSchedule

_WAYS_OUT = (
    "--schedule takes 'doubling', 'plateau', 'none', or pairs of epoch and blocks "
    "such as 2:8,5:16."
)


def stacking_callback(config):
    """Returns the `StackingCallback` of a configuration, `None` without growth.

    Args:
        config: `TrainConfig`.

    Raises:
        ValueError: If method and schedule do not fit the rest of the configuration.
    """
    if config.schedule == "none":
        return None
    callback = StackingCallback(
        config.method,
        _schedule(config.schedule),
        top_blocks=config.top_blocks,
        inherit=config.inherit,
        optimizer_state=config.optimizer_state,
        seed=config.seed,
    )
    growth_table(config, callback)
    return callback


def growth_table(config, callback):
    """Returns the dict from epoch to blocks, `None` where the metric decides."""
    if not hasattr(callback.schedule, "table"):
        return None
    try:
        return callback.schedule.table(
            config.num_blocks, config.epochs, config.top_blocks
        )
    except ValueError as error:
        raise ValueError(
            f"--schedule {config.schedule} with --num-blocks {config.num_blocks} and "
            f"--epochs {config.epochs}: {error} (--schedule none trains without "
            "growth.)"
        ) from error


def _schedule(text):
    if text == "doubling":
        return None
    if text == "plateau":
        return text
    try:
        pairs = [part.split(":") for part in text.split(",")]
        depths = {int(epoch): int(blocks) for epoch, blocks in pairs}
    except ValueError:
        raise ValueError(f"--schedule {text} is no schedule. {_WAYS_OUT}") from None
    return StackingSchedule(depths)
