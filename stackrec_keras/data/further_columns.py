"""Columns of a log besides user, item and timestamp."""

from typing import Any

import numpy as np
import pandas as pd

from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import shown

_TAKEN = ("user", "item", "timestamp", "users", "items", "timestamps")
LATEST = 10**11  # the year 5138; a time after 1973 in milliseconds exceeds it
_NUMBERS = "biufM"  # numpy's kinds: booleans, numbers and datetimes


def is_column_name(name) -> bool:
    """Returns whether `name` is a valid name for a further column."""
    is_free = isinstance(name, str) and name not in _TAKEN
    return is_free and not name.startswith("next_")


def check_column_name(name) -> None:
    """Checks that a name in `columns` is valid for a further column."""
    if not is_column_name(name):
        raise ArgumentError(
            "columns",
            "must hold strings that do not begin with 'next_' and are none of these "
            f"reserved names: {', '.join(_TAKEN)}",
            f"Rename the column {name!r}.",
        )


def further_columns(log) -> dict[str, np.ndarray]:
    """Returns a log's numeric columns by name; the log must have no missing values.

    Datetimes become seconds. Columns that are not numeric are left out.
    """
    return {
        name: whole_seconds(column.to_numpy()) if is_time(column) else column.to_numpy()
        for name, column in log.items()
        if is_column_name(name) and is_numeric(column) and not column.isna().any()
    }


def is_numeric(column) -> bool:
    """Returns whether a column holds numpy numbers, booleans or datetimes."""
    return isinstance(column.dtype, np.dtype) and column.dtype.kind in _NUMBERS


def is_time(values) -> bool:
    """Returns whether values are datetimes."""
    return values.dtype.kind == "M"


def whole_seconds(times: np.ndarray) -> np.ndarray:
    """Returns times in whole seconds, int64. Numbers are already in seconds."""
    if is_time(times):
        times = times.astype("datetime64[s]")
    elif times.dtype.kind == "f":
        times = np.floor(times)
    return times.astype(np.int64, copy=False)


def check_seconds(name: str, times: np.ndarray, received: Any = ...) -> None:
    """Checks that numbers can be seconds since 1970, not milliseconds.

    Times after 2038 are allowed. On JAX they lose their high bits, but models use only
    differences between times, and differences of up to 68 years stay correct.

    Args:
        name: String, the name of the argument or the column, for errors.
        times: Array of numbers.
        received: The argument's value, as in `ArgumentError`. Defaults to `...`.
    """
    far = np.abs(times) > LATEST
    if far.any():
        raise ArgumentError(
            name,
            f"holds {times[far].flat[0]}, which is not a time in seconds since 1970",
            "Divide milliseconds by 1000, or give dates.",
            received,
        )


def as_numeric(column: pd.Series, name: str, source, place) -> pd.Series:
    """Converts a further column of a log to a numeric or datetime dtype of numpy.

    Args:
        column: Series without missing values.
        name: String, the name of the column.
        source: The path or the frame, for errors.
        place: Function from a row's number to a text that locates it, for errors.

    Raises:
        ArgumentError: If a value is not a number.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC").dt.tz_localize(None)
    column = column.infer_objects()
    if is_numeric(column):
        return column
    numbers = pd.Series(np.nan, column.index)
    if column.dtype == object or isinstance(column.dtype, pd.StringDtype):
        numbers = _parse_numbers(column)
    if numbers.isna().any():
        row = int(np.argmax(numbers.isna()))
        raise ArgumentError(
            "columns",
            f"must be numeric, but {name!r} in {shown(source)} holds "
            f"{shown(column.iloc[row])} in {place(row)}",
            "Encode the column as numbers first, for example with "
            "frame[name].astype('category').cat.codes, and give the frame.",
            [name],
        )
    return numbers


def _parse_numbers(column):
    try:
        return pd.to_numeric(column, errors="coerce")
    except TypeError:  # lists and the like
        return pd.Series(np.nan, column.index)
