"""Reads times: those in the column of a log, and those given as arguments."""

import datetime
import numbers
from typing import Any

import numpy as np
import pandas as pd

from stackrec_keras.errors import ArgumentError, warn
from stackrec_keras.wording import agreeing, counted, shown

from .columns import log_error

Time = Any
"""A time in a log or an argument: a number, a date or a string."""

NUMBERED = "times_are_row_numbers"
"""String, the key in the `attrs` of a log that was read without times."""


def as_time(name, value, times):
    """Returns a time in the form of a log's times: a number, or a `Timestamp` in UTC.

    Args:
        name: The argument's name.
        value: The argument's value.
        times: `(events,)` array of the log's times.

    Raises:
        ArgumentError: If `value` is not a time, or not of the same kind as `times`.
    """
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if times.dtype.kind != "M":
        if is_number:
            return value
        raise ArgumentError(
            name,
            "must be a number, because the log's times are numbers, such as "
            f"{times[:1].tolist()}",
            received=value,
        )
    try:
        is_time = isinstance(value, (str, datetime.date, np.datetime64))
        time = pd.Timestamp(value) if is_time else pd.NaT
    except ValueError:
        time = pd.NaT
    if time is pd.NaT:
        raise ArgumentError(
            name,
            "must be a time, because the log has dates",
            "Give one such as '2020-01-05' or '2020-01-05 12:30'.",
            value,
        )
    return time if time.tz is None else time.tz_convert("UTC").tz_localize(None)


def times_of_column(column, name, source, place):
    """Returns a column of times as numbers, or as datetimes in UTC without a zone.

    Args:
        column: Series without missing values.
        name: String, the name of the column, for errors.
        source: The path or the frame, for errors.
        place: Function that takes the number of a row and returns the words that say
            where the row is, for errors.

    Raises:
        ArgumentError: If a value is not a time, or numbers and dates are mixed.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC").dt.tz_localize(None)
    if column.dtype.kind == "M":
        return column
    if isinstance(column.dtype, pd.PeriodDtype) or column.dtype.kind in "bcm":
        raise log_error(
            source,
            f"has the column {name} of the type {column.dtype}, which is not a time",
            "Convert it first: use column.dt.total_seconds() for a timedelta and "
            "column.dt.to_timestamp() for a period.",
        )
    if column.dtype.kind in "iuf":
        return _checked_numbers(column, name, source, place)
    # Check the first value only: trying to read a million dates as numbers is slow.
    if pd.to_numeric(column[:1], errors="coerce").notna().all():
        as_numbers = pd.to_numeric(column, errors="coerce")
        if as_numbers.notna().all() and as_numbers.dtype.kind in "iuf":
            return _checked_numbers(as_numbers, name, source, place)
    times = _as_dates(column)
    if times.notna().all():
        return times.dt.tz_localize(None)
    raise _wrong_times(column, name, source, place, times)


def _checked_numbers(times, name, source, place):
    """Returns numeric times; warns if their type is too coarse to tell them apart."""
    if times.dtype.kind != "f":
        return times
    largest = times.abs().max()
    if not np.isfinite(largest):
        row = int(np.flatnonzero(~np.isfinite(times))[0])
        raise log_error(
            source,
            f"holds {times.iloc[row]} in the column {name}, {place(row)}, which is "
            "not a time",
        )
    step = np.spacing(times.dtype.type(largest))
    if step > 1:
        warn(
            f"The column {name} of {shown(source)} is {times.dtype}, which near "
            f"{largest:g} holds only multiples of {step:g}: events that are closer "
            "together may come in the wrong order. Give the times as int64, or read "
            "them as text.",
        )
    return times


def _as_dates(column):
    """Returns a column as datetimes in UTC, NaT where a value is not a date."""
    if column.dtype == object:
        # In a column of dates, pandas would read a number such as 2000 as a year.
        is_number = column.map(lambda value: isinstance(value, numbers.Number))
        column = column.mask(is_number, None)
    times = _parse(column)
    if times.isna().any():
        # "2020-01-01 00:00:00 UTC" is common, but not ISO 8601. A time without a zone
        # is read as UTC, so the suffix can go.
        codes, unique = pd.factorize(column)
        texts = pd.Series(unique).astype(str).str.strip()
        texts = texts.str.replace(r" ?(?:UTC|GMT)$", "", regex=True)
        times = _parse(texts).reindex(codes).set_axis(column.index)
    return times.mask(column.isin(["now", "today"]))  # pandas reads these as dates


def _parse(dates):
    return pd.to_datetime(dates, format="ISO8601", utc=True, errors="coerce")


def _wrong_times(column, name, source, place, times):
    """Returns the error for times that are unreadable, or mix numbers and dates."""
    as_numbers = pd.to_numeric(column, errors="coerce")
    wrong = np.flatnonzero(as_numbers.isna() & times.isna())
    if len(wrong) == 0:
        number = np.flatnonzero(times.isna())[0]
        date = np.flatnonzero(as_numbers.isna())[0]
        return log_error(
            source,
            f"mixes numbers and dates in the column {name}: "
            f"{shown(column.iloc[number])} in {place(number)} and "
            f"'{column.iloc[date]}' in {place(date)}",
            "Give all times in one form. For example, pandas.to_datetime(numbers, "
            "unit='s') converts seconds to dates.",
        )
    return log_error(
        source,
        f"holds {shown(column.iloc[wrong[0]])} in the column {name}, "
        f"{place(wrong[0])}, which is neither a number nor an ISO 8601 time. "
        f"{len(wrong):,} of {counted(len(column), 'row')} "
        f"{agreeing(len(wrong), 'has such a time', 'have such times')}",
        "Convert the column with pandas.to_datetime(column, format=...) first, or "
        "correct those rows.",
    )
