"""Each user's encoded events, one after the other, and rows cut from them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from stackrec_keras.errors import ArgumentError

from .further_columns import further_columns, whole_seconds
from .times import NUMBERED

# Rows gathered at once, which bounds the memory of the index arrays.
_CHUNK = 1 << 17


@dataclass(frozen=True, eq=False)
class Histories:
    """The events of all users, sorted by user and time, items encoded.

    Args:
        items: `(events,)` int32 indices, none of them 0.
        times: `(events,)` times.
        starts: `(users + 1,)` int64; user u's events are
            `items[starts[u]:starts[u + 1]]`, oldest first.
        user_ids: `(users,)` raw user ids.
        columns: Dict from the name of a further column to its `(events,)` numbers.
            `"timestamps"` are the times in whole seconds, if the log has times.
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
    """Encodes a sorted log, without events of items that are not in `vocabulary`.

    Args:
        log: A frame as `read_interactions` returns it.
        vocabulary: The `Vocabulary` of the items.

    Returns:
        `Histories` of all users of the log, including those left without events.

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
    """Returns user indices `(events,)`, rising from 0 along a log, and the raw ids."""
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
    """Cuts `values[begin:end]`, at most `length` long, into left-padded rows.

    Args:
        values: `(events,)` array.
        begins: `(rows,)` first event of each row.
        ends: `(rows,)` index after its last event.
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
