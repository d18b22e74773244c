"""Interaction logs: files and frames of many forms to one sorted frame."""

import warnings
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from .arguments import counted
from .columns import IDS, check_names, match_columns
from .log_files import place_in_frame, read_file
from .raw_ids import refuse_mixed_booleans
from .times import times_of_column


def read_interactions(
    path_or_frame: str | PathLike | pd.DataFrame,
    user: str | int = "user",
    item: str | int = "item",
    timestamp: str | int | None = "timestamp",
) -> pd.DataFrame:
    """Reads an interaction log and sorts it by user and time.

    The file's extension says in which form it is:

    - `.csv`: separated by commas, or by semicolons, tabs or pipes
    - `.tsv`: separated by tabs
    - `.inter`: RecBole's; separated by tabs, and quotes mean nothing. A column may be
      named with or without its `:type`; a `:token` is text
    - `.dat`: MovieLens', `user::item::rating::timestamp` without a header
    - `.parquet`: needs pyarrow, `pip install 'stackrec-keras[parquet]'`
    - `.gz`, `.bz2`, `.xz`, `.zip` after one of the first three; `.zst` too, which needs
      zstandard, `pip install 'stackrec-keras[zstd]'`

    Each row of a text file is one event; a row with another number of fields than the
    header is an error. Ids of a text file stay text unless every id of the column is
    an integer without a sign or leading zeros and below 2**64. In a table ids may be
    of any type that can be sorted.

    The sort is stable: events of one user at one time keep the order of the file.

    Args:
        path_or_frame: A path, a pandas frame, anything with a `to_pandas` method
            (a polars frame, an Arrow table), or anything `pandas.DataFrame()` takes
            (a dict of columns, a list of records).
        user: Name of the column of user ids, or, in a text file without a header, the
            number of the column, from 0. Defaults to `"user"`, or `"user_id"` if there
            is no such column.
        item: The column of item ids, likewise. Defaults to `"item"`, or `"item_id"`.
        timestamp: The column of times, likewise: numbers, datetimes or ISO 8601
            strings. `None` takes the order of the rows as time. Defaults to
            `"timestamp"`.

    Returns:
        A frame with exactly the columns `user`, `item` and `timestamp`, sorted by
        (user, timestamp), its index 0 to rows - 1. Times with a time zone come back
        in UTC, without the zone.

    Raises:
        FileNotFoundError: If there is no such file.
        IsADirectoryError: If the path is a folder.
        ImportError: If the file needs pyarrow or zstandard, and it is not installed.
        ValueError: If the extension is unknown; if the file is damaged, has another
            form, is not in UTF-8 or has no header; if a column is missing, there twice
            or named twice; if a value is missing; if times are of two kinds; or if
            there are no rows. Errors in the rows of a text file name the line.

    Warns if numbers are so large for their type that different ids or times may have
    become one.

    Example:

    ```python
    log = read_interactions("ratings.dat")
    log = read_interactions("clicks.csv", user="session", item="article")
    log = read_interactions("no_header.csv", user=0, item=1, timestamp=3)
    ```
    """
    columns = {"user": user, "item": item, "timestamp": timestamp}
    check_names(columns)
    if isinstance(path_or_frame, (str, PathLike)):
        raw, names, place = read_file(Path(path_or_frame), columns)
        source = f"'{path_or_frame}'"
    else:
        raw = _as_frame(path_or_frame)
        names, place = match_columns(raw.columns, columns, "the frame"), place_in_frame
        source = "the frame"
    if len(raw) == 0:
        raise ValueError(
            f"The log in {source} has no rows; it must have at least one interaction."
        )
    return _sort(_clean(raw, names, source, place))


def _as_frame(data):
    # pandas would take a polars frame for a list of columns, and lose their names.
    if hasattr(data, "to_pandas"):
        try:
            data = data.to_pandas()
        except ImportError as error:
            raise ImportError(
                f"A {type(data).__module__.split('.')[0]} table needs pyarrow here: "
                f"`pip install 'stackrec-keras[parquet]'`. ({error})"
            ) from error
    if isinstance(data, pd.DataFrame):
        return data
    try:
        if data is None:  # an empty frame to pandas
            raise ValueError("it is None")
        return pd.DataFrame(data, copy=False)
    except ValueError as error:
        raise ValueError(
            f"path_or_frame of type {type(data).__name__} is neither a path nor "
            f"something pandas.DataFrame() takes: {error}"
        ) from error


def _clean(raw, names, source, place):
    _check_missing(raw, names, source, place)
    parts = {
        role: np.arange(len(raw), dtype=np.int64) if name is None else _plain(raw[name])
        for role, name in names.items()
    }
    for role in IDS:
        _check_ids(parts[role], f"{names[role]!r} ({role}) in {source}")
    if names["timestamp"] is not None:
        column = f"{names['timestamp']!r} (timestamp) in {source}"
        parts["timestamp"] = times_of_column(parts["timestamp"], column, place)
    # Columns are kept apart, not copied: logs are large.
    frame = {
        role: pd.Series(part).reset_index(drop=True) for role, part in parts.items()
    }
    return pd.DataFrame(frame, copy=False)


def _check_missing(raw, names, source, place):
    """Raises a ValueError that names all columns which lack values."""
    wanted = {name: role for role, name in names.items() if name is not None}
    missing = {name: raw[name].isna().to_numpy() for name in wanted}
    lacking = [
        f"{name!r} ({wanted[name]}) in {counted(int(rows.sum()), 'row')}"
        for name, rows in missing.items()
        if rows.any()
    ]
    if lacking:
        first = min(np.argmax(rows) for rows in missing.values() if rows.any())
        raise ValueError(
            f"Values are missing in {source}, of {counted(len(raw), 'row')}: "
            f"{', '.join(lacking)}. Read the log with pandas (dtype=str keeps ids as "
            "they are) and give it without such rows: "
            f"frame.dropna(subset={list(wanted)}). The first is {place(first)}."
        )


def _plain(column):
    """A column, without missing values, as numpy or pandas hold it by default."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if isinstance(column.dtype, pd.SparseDtype):
        return column.sparse.to_dense()
    if isinstance(column.dtype, pd.ArrowDtype):
        return pd.Series(column.to_numpy())
    if pd.api.types.is_extension_array_dtype(column.dtype):
        if pd.api.types.is_numeric_dtype(column.dtype):
            return column.astype(column.dtype.numpy_dtype)
    return column


def _check_ids(ids, column):
    """Warns of, or refuses, ids of which different ones are the same to Python."""
    if ids.dtype.kind == "f":
        largest = float(ids.abs().max())
        if not np.isfinite(largest):
            raise ValueError(
                f"The column {column} holds inf, which is not an id; leave it out."
            )
        if np.spacing(ids.dtype.type(largest)) > 1:
            warnings.warn(
                f"The column {column} is {ids.dtype}, which cannot tell all integers "
                f"apart up to its largest id, {largest:.0f}: different ids may have "
                "become one. Read them as integers or as text.",
                stacklevel=4,
            )
    refuse_mixed_booleans(f"The column {column}", ids)


def _sort(log):
    order = _sorting_order(_ranks(log["user"]), log["timestamp"].to_numpy())
    if order is None:
        return log
    parts = {name: log[name].take(order).reset_index(drop=True) for name in log}
    return pd.DataFrame(parts, copy=False)


def _ranks(ids):
    """Integers in the order of `ids`."""
    if ids.dtype.kind == "i":
        return ids.to_numpy()
    try:
        codes, unique = pd.factorize(ids)
    except TypeError:
        raise ValueError(
            "The column of users holds lists or other values that are no ids; give one "
            "id a row, e.g. frame.explode(...)."
        ) from None
    try:
        by_rank = pd.Series(unique, dtype=ids.dtype).argsort().to_numpy()
    except TypeError:
        kinds = sorted({type(raw).__name__ for raw in unique})
        raise ValueError(
            f"The users have ids of the types {kinds}, which cannot be sorted "
            "together; give ids of one type, e.g. log['user'].astype(str)."
        ) from None
    ranks = np.empty(len(unique), np.int32)
    ranks[by_rank] = np.arange(len(unique), dtype=np.int32)
    return ranks[codes]


def _sorting_order(users, times):
    """The stable order by (user, time), or None where the rows are in it."""
    if times.dtype.kind == "M":
        times = times.view(np.int64)
        times = times // max(1, int(np.gcd.reduce(times)))  # seconds, held as us
    key = _combined_key(users, times)
    if key is None:
        return np.lexsort((times, users))
    if (key[1:] >= key[:-1]).all():
        return None
    return np.argsort(key, kind="stable")


def _combined_key(users, times):
    """One int64 for (user, time): one sort, not two. None where it cannot fit."""
    if times.dtype.kind != "i":
        return None
    first_user, first_time = int(users.min()), int(times.min())
    span = int(times.max()) - first_time + 1
    if (int(users.max()) - first_user + 1) * span >= 2**63:
        return None
    key = users.astype(np.int64)
    key -= first_user
    key *= span
    key += times
    key -= first_time
    return key
