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
    if config.data_shares and config.schedule in ("none", "doubling", "plateau"):
        raise ValueError(
            f"--data-shares {config.data_shares} needs a --schedule of epochs and "
            f"blocks, such as 2:8. Received: --schedule {config.schedule}"
        )
    if config.schedule == "none":
        return None
    callback = StackingCallback(
        config.method,
        _schedule(config.schedule, config.data_shares),
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


def _schedule(text, data_shares):
    if text == "doubling":
        return None
    if text == "plateau":
        return text
    depths = _table(text, int, f"--schedule {text} is no schedule. {_WAYS_OUT}")
    if data_shares is None:
        return StackingSchedule(depths)
    wrong = (
        f"--data-shares {data_shares} are no shares. Give pairs of epoch and share of "
        "the rows, from epoch 0 on, such as 0:0.4,2:1."
    )
    try:
        return StackingSchedule(depths, _table(data_shares, float, wrong))
    except ValueError as error:
        raise ValueError(f"--data-shares {data_shares}: {error}") from error


def _table(text, type, wrong):
    """Returns the dict for pairs of an epoch and a number."""
    try:
        pairs = [part.split(":") for part in text.split(",")]
        return {int(epoch): type(value) for epoch, value in pairs}
    except ValueError:
        raise ValueError(wrong) from None
