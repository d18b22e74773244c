"""How a run grows, from its configuration."""

import contextlib

from stackrec_keras.errors import ArgumentError
from stackrec_keras.stacking import StackingCallback, StackingSchedule
from stackrec_keras.stacking.schedules import LookAhead, MetricSchedule

_NAMED = {"doubling": None, "plateau": "plateau", "look_ahead": "look_ahead"}
_SCHEDULES = (
    "must be 'doubling', 'plateau', 'look_ahead', 'none', or pairs of epoch and blocks "
    "such as 2:8,5:16"
)
_DATA_SHARES = (
    "must be pairs of epoch and fraction of the rows, from epoch 0 on, such as "
    "0:0.4,2:1"
)
_SHARES_FIX = "Give pairs of epoch and fraction from epoch 0 on, such as 0:0.4,2:1."


def stacking_callback(config):
    """Returns the `StackingCallback` of a configuration, or `None` if it does not grow.

    Args:
        config: `TrainConfig`.

    Raises:
        ArgumentError: If method and schedule do not fit the rest of the configuration.
    """
    if config.data_shares and config.schedule in _NAMED:
        raise ArgumentError(
            "data_shares",
            "needs a schedule of epochs and blocks, such as 2:8, or 'none', but the "
            f"schedule is {config.schedule!r}",
            received=config.data_shares,
        )
    if config.schedule == "none" and not config.data_shares:
        return None
    tables = _tables(config)
    with _tables_as_given(config):
        schedule = _NAMED.get(config.schedule)
        if tables:
            never = config.schedule == "none"
            schedule = StackingSchedule(*tables, partial=never)
        callback = StackingCallback(
            config.method,
            schedule,
            top_blocks=config.top_blocks,
            inherit=config.inherit,
            optimizer_state=config.optimizer_state,
            seed=config.seed,
        )
    _check_room(config, callback.schedule)
    if isinstance(callback.schedule, LookAhead):
        _check_best_epoch(config, callback.schedule)
    growth_table(config, callback)
    return callback


def growth_table(config, callback):
    """Returns a dict from epoch to number of blocks, or `None` if the metric
    decides."""
    if config.schedule == "none":
        return {}
    with _tables_as_given(config):
        return callback.schedule.table(
            config.num_blocks, config.epochs, config.top_blocks
        )


def _check_room(config, schedule):
    """Checks that a schedule that follows the metric has a depth to grow to."""
    if not isinstance(schedule, MetricSchedule):
        return
    if not schedule.depths(config.num_blocks, config.top_blocks):
        raise ArgumentError(
            "num_blocks",
            f"is too deep for the schedule {config.schedule!r}, which grows to at most "
            f"{schedule.max_blocks} blocks",
            "Start with fewer, or give pairs of epoch and blocks.",
            config.num_blocks,
        )


def _check_best_epoch(config, schedule):
    """Checks that the choice of the best epoch suits trials that are taken back."""
    if config.best_of == "deepest":
        raise ArgumentError(
            "best_of",
            "does not suit the schedule 'look_ahead', which may take its greatest "
            "depth back",
            "Leave it out.",
            config.best_of,
        )
    trial = 2 * schedule.trial_epochs
    if config.patience is not None and config.patience <= trial:
        raise ArgumentError(
            "patience",
            "may end the run in a trial of the schedule 'look_ahead', which takes "
            f"{trial} epochs",
            f"Give at least {trial + 1}.",
            config.patience,
        )


@contextlib.contextmanager
def _tables_as_given(config):
    """Context manager in which errors about the schedule show the text of the
    option."""
    try:
        yield
    except ArgumentError as error:
        fixes = {"schedule": _schedule_fix(config), "data_shares": _SHARES_FIX}
        name = error.argument
        if name not in fixes:
            raise
        given = getattr(config, name)
        raise ArgumentError(name, error.reason, fixes[name], given) from error


def _schedule_fix(config):
    """Returns what to do about a schedule that does not fit the epochs or the depth."""
    depths, such_as = [config.num_blocks], ""
    if config.schedule not in _NAMED:
        depths += _tables(config)[0].values()
    lengths = [2**stage for stage in range(len(depths))]
    with contextlib.suppress(ArgumentError):  # no schedule fits
        schedule = StackingSchedule.shares(depths, lengths)
        table = schedule.table(config.num_blocks, config.epochs, config.top_blocks)
        such_as = f" such as {','.join(f'{e}:{n}' for e, n in table.items())},"
    return (
        "Give a schedule with more blocks at earlier epochs,"
        f"{such_as} or 'none' to train without growing."
    )


def _tables(config):
    """Returns the dicts of depths and of data shares, or `None` for a named
    schedule."""
    if config.schedule in _NAMED:
        return None
    if config.schedule == "none":  # the fit ends before the model grows
        depths = {config.epochs: 2 * config.num_blocks}
    else:
        depths = _table("schedule", config.schedule, int, _SCHEDULES)
    if config.data_shares is None:
        return depths, None
    return depths, _table("data_shares", config.data_shares, float, _DATA_SHARES)


def _table(name, text, type, reason):
    """Returns a dict from epoch to number for a text such as `"2:8,5:16"`."""
    try:
        parts = [part.split(":") for part in text.split(",")]
        pairs = [(int(epoch), type(value)) for epoch, value in parts]
    except ValueError:
        raise ArgumentError(name, reason, received=text) from None
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ArgumentError(name, "has an epoch twice", received=text)
    return table
