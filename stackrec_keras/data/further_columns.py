"""Columns of a log besides user, item and timestamp."""

import numpy as np
import pandas as pd

from stackrec_keras.errors import ArgumentError

_TAKEN = ("user", "item", "timestamp", "users", "items", "timestamps")
_NUMBERS = "biufM"  # numpy's kinds: booleans, numbers and datetimes


def is_column_name(name) -> bool:
    """Returns whether a further column may have this name."""
    is_free = isinstance(name, str) and name not in _TAKEN
    return is_free and not name.startswith("next_")


def check_column_name(name) -> None:
    """Checks that a further column may have a name from the argument `columns`."""
    if not is_column_name(name):
        raise ArgumentError(
            "columns",
            f"must hold names other than {', '.join(_TAKEN)}, which every log has, and "
            "none that begins with 'next_'",
            f"Rename the column {name!r}.",
        )


def further_columns(log) -> dict[str, np.ndarray]:
    """Returns the numeric columns of a log without missing values, by name.

    Datetimes become seconds. Columns of another kind are left out.
    """
    return {
        name: whole_seconds(column.to_numpy()) if is_time(column) else column.to_numpy()
        for name, column in log.items()
        if is_column_name(name) and is_numeric(column) and not column.isna().any()
    }


def is_numeric(column) -> bool:
    """Returns whether a column holds numbers, booleans or datetimes, as numpy does."""
    return isinstance(column.dtype, np.dtype) and column.dtype.kind in _NUMBERS


def is_time(values) -> bool:
    """Returns whether values are datetimes."""
    return values.dtype.kind == "M"


def whole_seconds(times: np.ndarray) -> np.ndarray:
    """Returns times in whole seconds, int64; numbers are taken for seconds."""
    if is_time(times):
        times = times.astype("datetime64[s]")
    elif times.dtype.kind == "f":
        times = np.floor(times)
    return times.astype(np.int64, copy=False)


def as_numeric(column: pd.Series, name: str, source: str) -> pd.Series:
    """Returns a further column of a source as numpy holds numbers or datetimes.

    Args:
        column: Series without missing values.
        name: String, the name that the user gave.
        source: String, what an error calls the file or frame.

    Raises:
        ArgumentError: If the column is not numeric.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    column = column.infer_objects()
    if not is_numeric(column):
        raise ArgumentError(
            "columns",
            f"must hold numeric columns, and {name!r} in {source} holds values such as "
            f"{column.iloc[0]!r}",
            "Encode it as numbers first, for example with "
            "frame[name].astype('category').cat.codes, and give the frame.",
        )
    return column
