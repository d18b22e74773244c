"""Finds times by rank among times that do not fit into memory."""

from collections.abc import Callable, Iterable

import numpy as np

_BINS = 1 << 16


def times_at_ranks(chunks: Callable[[], Iterable[np.ndarray]], ranks):
    """Returns the times at given ranks in sorted order.

    Each time is found by counting the times in an interval, which shrinks until it
    holds a single time.

    Args:
        chunks: Function that returns an iterable of arrays of times; each pass over
            the times calls it.
        ranks: Integers from 0.

    Returns:
        Array of these times.
    """
    first, last = extreme_times(chunks())
    low, high = int(_as_integers(first)[0]), int(_as_integers(last)[0])
    found = [_key_at_rank(chunks, rank, low, high) for rank in ranks]
    return _as_times(np.array(found, np.int64), first.dtype)


def extreme_times(chunks: Iterable[np.ndarray]):
    """Returns the first and the last time, each as an array of length 1."""
    ends = [(times.min(), times.max()) for times in chunks if len(times)]
    firsts, lasts = zip(*ends)
    return np.array([min(firsts)]), np.array([max(lasts)])


def _key_at_rank(chunks, rank, low, high):
    while low < high:
        width = -(-(high - low + 1) // _BINS)
        counts = np.zeros(_BINS, np.int64)
        for times in chunks():
            keys = _as_integers(times)
            keys = keys[(keys >= low) & (keys <= high)]
            # The distance from `low` may exceed an int64.
            distances = keys.view(np.uint64) - np.uint64(low % 2**64)
            bins = (distances // np.uint64(width)).astype(np.int64)
            counts += np.bincount(bins, minlength=_BINS)
        up_to = np.cumsum(counts)
        place = int(np.searchsorted(up_to, rank, side="right"))
        rank -= int(up_to[place] - counts[place])
        low += place * width
        high = min(high, low + width - 1)
    return low


def _as_integers(times):
    """Returns int64 numbers that sort in the same order as the times."""
    if times.dtype.kind == "M":
        return times.view(np.int64)
    if times.dtype.kind != "f":
        return times.astype(np.int64)
    return _flip(times.astype(np.float64).view(np.int64))


def _as_times(keys, dtype):
    """Converts the numbers of `_as_integers` back to times."""
    if dtype.kind == "M":
        return keys.view(dtype)
    if dtype.kind != "f":
        return keys.astype(dtype)
    return _flip(keys).view(np.float64).astype(dtype)


def _flip(bits):
    """Maps the bits of floats to integers in the same order, or back."""
    return np.where(bits < 0, bits ^ np.int64(2**63 - 1), bits)
