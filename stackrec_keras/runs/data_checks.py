"""Checks that the options about the data fit each other and the data."""

from stackrec_keras.errors import ArgumentError

LEAVE_ONE_OUT_OPTIONS = ("min_count", "newest_only", "whole_history")


def check_leave_one_out(config):
    """Checks that options of the leave-one-out split are given only with that
    split."""
    for name in LEAVE_ONE_OUT_OPTIONS:
        value = getattr(config, name)
        if value != getattr(type(config), name) and config.split != "leave-one-out":
            reason = f"needs the leave-one-out split, but the split is {config.split}"
            fix = "Leave it out, or use the leave-one-out split."
            raise ArgumentError(name, reason, fix, value)


def check_sequences(config):
    """Checks that a file of sequences has what the other options need."""
    lacking = "which a file of sequences does not have"
    if config.model == "ssept" and not config.user_column:
        raise ArgumentError(
            "model",
            "learns a vector for each user, but a file of sequences has no user ids",
            "If each row of the file begins with a user id, turn on the user column; "
            "otherwise give a log of users, items and times.",
            config.model,
        )
    if config.share_by == "time":
        reason, fix = f"needs times, {lacking}", "Use random fractions."
        raise ArgumentError("share_by", reason, fix, config.share_by)
    if config.split != "random":
        reason, fix = f"needs users and times, {lacking}", "Use the random split."
        raise ArgumentError("split", reason, fix, config.split)


def check_times(config, times):
    """Checks the times `(events,)` of a log for a model that uses times."""
    from stackrec_keras.data.further_columns import check_seconds

    if config.reads_times and times.dtype.kind != "M":
        check_seconds("timestamp", times, config.timestamp)
