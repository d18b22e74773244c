"""The history of a user in the log of a run."""

from os import PathLike
from typing import Any

from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.folder import RunFolder
from stackrec_keras.runs.log_source import read_log
from stackrec_keras.wording import counted, did_you_mean, examples


def user_history(
    run: str | PathLike, user: Any, data: str | PathLike | None = None
) -> tuple[list, list[int] | None]:
    """Reads a user's history, to pass to the `recommend` of the run's model.

    Args:
        run: The run folder.
        user: The raw id of the user, or that id as text.
        data: A named data set or a file with the same columns as the run's own log,
            such as a newer log. Defaults to `None`, the run's own log.

    Returns:
        A pair: the list of raw item ids, oldest first; and the list of their times in
        seconds, or `None` if the run's data have no times.

    Raises:
        ArgumentError: If there is no such user, or the log lacks a column.

    Example:

    ```python
    items, times = sr.runs.user_history("runs/first", 1176)
    model.recommend([items], k=5)
    ```
    """
    from stackrec_keras.data.further_columns import whole_seconds

    config = RunFolder(run).read_config()
    data = data or config.data
    if config.sequences:
        return _sequence_of(user, config, data), None
    log = _log_like_the_runs(config, data)
    events = log[log["user"] == _raw_user(user, log["user"].unique(), data)]
    times = whole_seconds(events["timestamp"].to_numpy())
    return events["item"].tolist(), times.tolist()


def _raw_user(user, ids, data):
    """Returns the raw id with the same text as `user`."""
    by_text = {str(raw): raw for raw in ids}
    if str(user) in by_text:
        return by_text[str(user)]
    users = f"It has {counted(len(ids), 'user')}, with ids {examples(by_text)}."
    meant = did_you_mean(str(user), by_text) or users
    raise ArgumentError(
        "user",
        f"is not in {data}",
        f"{meant} For someone new, give a list of items instead.",
        user,
        f"{meant} For someone new, give --items instead.",
    )


def _log_like_the_runs(config, data):
    try:
        return read_log(config, data)
    except ArgumentError as error:
        # `user_history` has no arguments for columns: its `user` is an id.
        if error.argument not in ("user", "item", "timestamp"):
            raise
        raise ArgumentError(
            "data",
            f"must have the columns of the run's own log ({config.data}), but the "
            f"{error.argument} column {error.received!r} {error.reason}",
            received=data,
        ) from error


def _sequence_of(user, config, data):
    from stackrec_keras.data import read_sequences

    windows, vocabulary = read_sequences(data, config.user_column)
    user = _raw_user(user, windows.user_ids, data)
    items = windows.items[windows.user_ids[windows.users] == user]
    return vocabulary.decode(items[items > 0]).tolist()
