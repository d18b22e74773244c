"""The times of the events that `recommend` predicts."""

import numbers
from dataclasses import replace

import numpy as np
import pandas as pd

from stackrec_keras.data.further_columns import whole_seconds
from stackrec_keras.errors import ArgumentError, warn
from stackrec_keras.models.inputs import TIMES, check_feature


def needs_next_times(model, features, at):
    """Returns whether `recommend` must work out the times of the next events.

    Args:
        model: A `SequentialRecommender`.
        features: Dict of the features that `recommend` was given.
        at: The time of the request, or `None`.

    Raises:
        ArgumentError: If `at` cannot be used, or the times of the events are missing.
    """
    reads = "next_timestamps" in model.features
    given = "next_timestamps" in features
    if at is not None and not reads:
        reason = "is the time of the request, which this model does not read"
        raise ArgumentError("at", reason, "Leave it out.", at)
    if at is not None and given:
        raise ArgumentError(
            "at",
            "cannot be given together with x['next_timestamps'], whose last value is "
            "already the time of the request",
            "Give only one of the two.",
            at,
        )
    if reads and not given and "timestamps" not in features:
        raise ArgumentError(
            "x",
            "lacks 'timestamps', the time of each event, which this model reads",
            "Give a dict: {'items': [[...]], 'timestamps': [[...]]}.",
        )
    return reads and not given


def with_next_times(histories, at):
    """Returns `Histories` with the feature `"next_timestamps"`.

    Args:
        histories: `Histories` with `"timestamps"`, a value for each item.
        at: The time of the request: one value for all histories, or one for each. With
            `None`, it is the time of the history's last event, plus the median gap
            between the history's events.

    Raises:
        ArgumentError: If a time cannot be read, or is before the last event.
    """
    times = histories.of_items.get("timestamps")
    if times is None:
        reason = "must have one time for each item, not one for each history"
        raise ArgumentError("x['timestamps']", reason)
    values = times.values.astype("int64")
    last = values[times.ends - 1]
    if at is None:
        requests = last + _median_gaps(values, times)
    else:
        requests = _requests(at, last)
    following = np.append(values[1:], 0)
    following[times.ends - 1] = requests
    _warn_of_disorder(values, following, times)
    of_items = {**histories.of_items, "next_timestamps": times.with_values(following)}
    return replace(histories, of_items=of_items)


def _warn_of_disorder(values, following, times):
    early = np.flatnonzero(following < values)
    if len(early):
        row = int(np.searchsorted(times.ends, early[0], side="right"))
        warn(
            f"The times of history {row} are not in order: {following[early[0]]} comes "
            f"after {values[early[0]]}. A model reads histories oldest first."
        )


def as_seconds(name, values):
    """Returns times as an integer array of seconds since 1970.

    Args:
        name: String, the name of the argument that holds them.
        values: Numbers of seconds, datetimes or ISO 8601 strings; or a single value.

    Raises:
        ArgumentError: If a value is not a time.
    """
    array = np.asarray(values)
    if array.dtype == object:
        array = _plain(array)
    if array.dtype.kind in "bOUSM":
        dates = _as_dates(array)
        if dates.hasnans:
            fix = (
                "Give seconds, or datetimes such as np.datetime64('2020-01-05 12:30')."
            )
            raise ArgumentError(name, "must be a time", fix, values)
        return whole_seconds(dates.to_numpy()).reshape(array.shape)
    check_feature(name, array, None, TIMES[0])
    return np.floor(array).astype("int64")


def _plain(array):
    """Converts an array of objects to numbers if it holds only numbers."""
    are_numbers = [isinstance(value, numbers.Real) for value in array.ravel()]
    return np.asarray(array.tolist()) if all(are_numbers) else array


def _as_dates(array):
    """Returns datetimes in UTC. A missing value becomes NaT; if a value cannot be
    read, the result is a single NaT."""
    is_number = [isinstance(value, numbers.Real) for value in array.ravel().tolist()]
    try:
        if array.dtype.kind != "M" and any(is_number):
            raise ValueError  # pandas would read the number as nanoseconds
        return pd.to_datetime(array.ravel(), utc=True).tz_localize(None)
    except (ValueError, TypeError):
        return pd.DatetimeIndex([pd.NaT])


def _requests(at, last):
    requests = as_seconds("at", at)
    check_feature("at", requests, None, TIMES[0])
    if requests.shape not in ((), last.shape):
        raise ArgumentError(
            "at",
            f"must be a single time, or one for each of the {len(last):,} histories, "
            f"but its shape is {requests.shape}",
        )
    requests = np.broadcast_to(requests, last.shape)
    early = np.flatnonzero(requests < last)
    if len(early):
        row = early[0]
        raise ArgumentError(
            "at",
            f"is before the last event of history {row} ({requests[row]} < "
            f"{last[row]}, in seconds since 1970)",
            "Leave later events out of the history, or give a later time.",
            at,
        )
    return requests


def _median_gaps(values, times):
    """Returns the median time between the events of each history, in seconds. For a
    history of a single event, it is 0."""
    counts = times.lengths - 1
    rows = np.repeat(np.arange(len(counts)), counts)
    is_first = np.zeros(len(values), bool)
    is_first[times.ends - times.lengths] = True
    gaps = np.diff(values, prepend=0)[~is_first]
    gaps = np.append(gaps[np.lexsort((gaps, rows))], 0)
    begins = np.cumsum(counts) - counts
    low, high = begins + np.maximum(counts - 1, 0) // 2, begins + counts // 2
    medians = (gaps[low] + gaps[high]) // 2
    return np.where(counts > 0, np.maximum(medians, 0), 0)
