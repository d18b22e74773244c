"""The encoded events of all users, and rows cut from them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from stackrec_keras.errors import ArgumentError

from .further_columns import further_columns, whole_seconds
from .times import NUMBERED

# The number of rows gathered at once, which limits the memory for index arrays.
_CHUNK = 1 << 17


@dataclass(frozen=True, eq=False)
class Histories:
    """The events of all users, sorted by user and time, with encoded items.

    Args:
        items: `(events,)` int32 indices, none of them 0.
        times: `(events,)` times.
        starts: `(users + 1,)` int64; user u's events are
            `items[starts[u]:starts[u + 1]]`, oldest first.
        user_ids: `(users,)` raw user ids.
        columns: Dict from column name to `(events,)` numbers. It has `"timestamps"`,
            the times in whole seconds, if the log has times.
    """

    items: np.ndarray
    times: np.ndarray
    starts: np.ndarray
    user_ids: np.ndarray
    columns: dict[str, np.ndarray]

    @property
    def ends(self):
        """`(users,)`, the index after each user's last event."""
        return self.starts[1:]

    @property
    def longest(self):
        """Integer, the number of events in the longest history."""
        return int(np.diff(self.starts).max(initial=0))


def make_histories(log, vocabulary) -> Histories:
    """Encodes a sorted log; events of items not in `vocabulary` are left out.

    Args:
        log: A sorted log, as `read_interactions` returns it.
        vocabulary: The `Vocabulary` of the items.

    Returns:
        `Histories` of all users of the log, even if all their events are left out.

    Raises:
        ArgumentError: If `log` is not an interaction log, or is not sorted by user and
            time.
    """
    check_log(log)
    users, user_ids = user_codes(log)
    items = vocabulary.encode(log["item"])
    times = log["timestamp"].to_numpy()
    columns = further_columns(log)
    if not log.attrs.get(NUMBERED):
        columns = {"timestamps": whole_seconds(times), **columns}
    if not items.all():
        known = items > 0
        users, items, times = users[known], items[known], times[known]
        columns = {name: values[known] for name, values in columns.items()}
    counts = np.bincount(users, minlength=len(user_ids))
    starts = np.zeros(len(user_ids) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return Histories(items, times, starts, user_ids, columns)


def check_log(log):
    """Checks that an argument is a log as `read_interactions` returns it."""
    if not isinstance(log, pd.DataFrame):
        raise ArgumentError(
            "log",
            "must be a frame",
            "Make it from a path, a frame or a dict of columns with "
            "`read_interactions`.",
            log,
        )
    missing = {"user", "item", "timestamp"} - set(log.columns)
    if missing:
        raise ArgumentError(
            "log",
            f"lacks the columns {sorted(missing)}",
            "Make it with `read_interactions`.",
            log,
        )
    times = log["timestamp"].to_numpy()
    if times.dtype.kind not in "iufbM":
        raise ArgumentError(
            "log['timestamp']",
            f"must hold numbers or times, not values such as {times[:1].tolist()}",
            "Use the log that `read_interactions(log)` returns.",
        )
    if log["user"].isna().any():
        raise ArgumentError(
            "log['user']",
            "has missing values",
            "Drop these rows: log.dropna(subset=['user']).",
        )


def user_codes(log):
    """Returns each event's user index, from 0, and the raw id of each user."""
    codes, unique = pd.factorize(log["user"])
    codes = codes.astype(np.int32)
    steps = np.diff(codes)
    times = log["timestamp"].to_numpy()
    if (steps < 0).any() or ((times[1:] < times[:-1]) & (steps == 0)).any():
        raise ArgumentError(
            "log",
            "must be sorted by user and timestamp",
            "Use the log that `read_interactions(log)` returns.",
        )
    return codes, np.asarray(unique)


def gather_rows(values, begins, ends, length, rows=None) -> np.ndarray:
    """Cuts a left-padded row from `values[begin:end]` for each begin and end.

    Args:
        values: `(events,)` array.
        begins: `(rows,)`, the index of each row's first event.
        ends: `(rows,)`, the index after each row's last event.
        length: Integer, the number of columns; a longer row keeps its newest events.
        rows: `(rows, length)` array of zeros to write to. Defaults to a new one.

    Returns:
        `(rows, length)` array, padded with 0 on the left.
    """
    if rows is None:
        rows = np.zeros((len(ends), length), values.dtype)
    if len(values) == 0:
        return rows
    offsets = np.arange(-length, 0)
    for low in range(0, len(ends), _CHUNK):
        chunk = slice(low, low + _CHUNK)
        index = ends[chunk, None] + offsets
        inside = index >= begins[chunk, None]
        np.maximum(index, 0, out=index)
        np.copyto(rows[chunk], values[index], where=inside)
    return rows
