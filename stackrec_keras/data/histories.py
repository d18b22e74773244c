"""Each user's encoded events one after the other, and rows cut out of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .arguments import shown

# Rows gathered at once: bounds the memory of the index arrays.
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
    """

    items: np.ndarray
    times: np.ndarray
    starts: np.ndarray
    user_ids: np.ndarray

    @property
    def ends(self):
        """`(users,)`: one past each user's last event."""
        return self.starts[1:]


def make_histories(log, vocabulary) -> Histories:
    """Encodes a sorted log; events whose item is not in `vocabulary` are left out.

    Args:
        log: A frame as `read_interactions` returns it.
        vocabulary: The `Vocabulary` of the items.

    Returns:
        `Histories` of all the log's users, also of those left without events.

    Raises:
        ValueError: That is no log, or it is not sorted by user and time.
    """
    check_log(log)
    users, user_ids = user_codes(log)
    items = vocabulary.encode(log["item"])
    times = log["timestamp"].to_numpy()
    if not items.all():
        known = items > 0
        users, items, times = users[known], items[known], times[known]
    counts = np.bincount(users, minlength=len(user_ids))
    starts = np.zeros(len(user_ids) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return Histories(items, times, starts, user_ids)


def check_log(log):
    """Raises a ValueError if that is no log as `read_interactions` returns it."""
    if not isinstance(log, pd.DataFrame):
        raise ValueError(
            f"log is {shown(log)}; it must be a frame. Make it of a path, a frame or a "
            "dict of columns with `read_interactions`."
        )
    missing = {"user", "item", "timestamp"} - set(log.columns)
    if missing:
        raise ValueError(
            f"log lacks the columns {sorted(missing)}; it has {list(log.columns)}. "
            "Make it with `read_interactions`."
        )
    times = log["timestamp"].to_numpy()
    if times.dtype.kind not in "iufbM":
        raise ValueError(
            f"log['timestamp'] holds values such as {times[:1].tolist()}, which are "
            "neither numbers nor times; give what `read_interactions(log)` returns."
        )
    if log["user"].isna().any():
        raise ValueError(
            "log['user'] has missing values; give log.dropna(subset=['user'])."
        )


def user_codes(log):
    """User indices `(events,)`, 0 upward along a sorted log, and the raw ids."""
    codes, unique = pd.factorize(log["user"])
    codes = codes.astype(np.int32)
    steps = np.diff(codes)
    times = log["timestamp"].to_numpy()
    if (steps < 0).any() or ((times[1:] < times[:-1]) & (steps == 0)).any():
        raise ValueError(
            "log is not sorted by user and timestamp; give what "
            "`read_interactions(log)` returns."
        )
    return codes, np.asarray(unique)


def gather_rows(items, begins, ends, length) -> np.ndarray:
    """Cuts `items[begin:end]`, at most `length` long, into left-padded rows.

    Args:
        items: `(events,)` int32.
        begins: `(rows,)` first event of each row.
        ends: `(rows,)` one past its last event.
        length: Columns; a longer row keeps its newest events.

    Returns:
        `(rows, length)` int32, padded with 0 on the left.
    """
    rows = np.zeros((len(ends), length), np.int32)
    if len(items) == 0:
        return rows
    offsets = np.arange(-length, 0)
    for low in range(0, len(ends), _CHUNK):
        chunk = slice(low, low + _CHUNK)
        index = ends[chunk, None] + offsets
        inside = index >= begins[chunk, None]
        np.maximum(index, 0, out=index)
        np.multiply(items[index], inside, out=rows[chunk])
    return rows
