"""Reads an interaction log from a file or frame, as a sorted frame."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from stackrec_keras.errors import ArgumentError, warn
from stackrec_keras.wording import counted, shown

from .columns import IDS, check_names, log_error, match_columns, named_column
from .further_columns import as_numeric
from .log_files import place_in_frame, read_file
from .raw_ids import MIXED_BOOLEANS, has_mixed_booleans
from .times import NUMBERED, times_of_column


def read_interactions(
    path_or_frame: str | PathLike | pd.DataFrame,
    user: str | int = "user",
    item: str | int = "item",
    timestamp: str | int | None = "timestamp",
    columns: Sequence[str] = (),
) -> pd.DataFrame:
    """Reads an interaction log and sorts it by user and time.

    The file's extension determines its format:

    - `.csv`: separated by commas, or by semicolons, tabs or pipes
    - `.tsv`: separated by tabs
    - `.inter`: the format of RecBole, separated by tabs, where quotes have no special
      meaning. You may name a column with or without its `:type` suffix; a column of
      type `:token` is read as text
    - `.dat`: the format of MovieLens, `user::item::rating::timestamp` without a header
    - `.parquet`: needs pyarrow, `pip install 'stackrec-keras[parquet]'`
    - one of the first three followed by `.gz`, `.bz2`, `.xz`, `.zip` or `.zst`; `.zst`
      needs zstandard, `pip install 'stackrec-keras[zstd]'`

    Each row of a text file is one event. A row whose number of fields differs from the
    header's is an error. Ids of a text file stay text unless every id of the column is
    an integer below 2**64 without a sign or leading zeros. In a Parquet file or a
    frame, ids may be of any type that can be sorted.

    The sort is stable: events of one user at the same time keep the order of the file.

    Args:
        path_or_frame: A path, a pandas frame, anything with a `to_pandas` method
            (a polars frame, an Arrow table), or anything `pandas.DataFrame()` takes
            (a dict of columns, a list of records).
        user: Name of the column of user ids or, for a text file without a header, the
            number of the column, from 0. Defaults to `"user"`, or `"user_id"` if there
            is no such column.
        item: The column of item ids, likewise. Defaults to `"item"`, or `"item_id"`.
        timestamp: The column of times, likewise. Times are numbers, datetimes or ISO
            8601 strings. With `None`, the order of the rows serves as time. Defaults
            to `"timestamp"`.
        columns: List of the names of further columns to keep. Their values must be
            numbers, booleans or datetimes. Defaults to none.

    Returns:
        A frame with the columns `user`, `item`, `timestamp` and the given `columns`,
        sorted by (user, timestamp), with the index 0 to rows - 1. Times with a time
        zone become UTC, without the zone.

    Raises:
        FileNotFoundError: If there is no such file.
        IsADirectoryError: If the path is a folder.
        ImportError: If the file needs pyarrow or zstandard, which is not installed.
        ArgumentError: If the file is damaged, not in UTF-8, not in the format of its
            extension, or without a header or rows. Also if a column is missing or
            exists twice, a value is missing, times mix numbers and dates, or a further
            column is not numeric. If the error is in a row of a text file, the message
            names the line.

    Warns if numbers are so large for their type that different ids or times may have
    become equal.

    Example:

    ```python
    log = read_interactions("ratings.dat", columns=["rating"])
    log = read_interactions("clicks.csv", user="session", item="article")
    log = read_interactions("no_header.csv", user=0, item=1, timestamp=3)
    ```
    """
    roles = {"user": user, "item": item, "timestamp": timestamp}
    check_names(roles, columns)
    named = {**roles, **{name: name for name in columns}}
    if isinstance(path_or_frame, (str, PathLike)):
        source = Path(path_or_frame)
        raw, names, place = read_file(source, named)
    else:
        source = raw = _as_frame(path_or_frame)
        names, place = match_columns(raw.columns, named, source), place_in_frame
    if len(raw) == 0:
        raise log_error(source, "has no rows", "A log needs at least one interaction.")
    log = sort_log(clean_columns(raw, names, source, place))
    if timestamp is None or (timestamp == "timestamp" and raw.attrs.get(NUMBERED)):
        log.attrs[NUMBERED] = True
    return log


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
    fix = "Give a path, a frame, a dict of columns or a list of records."
    if data is None:  # pandas would make an empty frame
        raise log_error(data, "is not a log", fix)
    try:
        return pd.DataFrame(data, copy=False)
    except ValueError as error:
        raise log_error(data, f"is not a log: {error}".rstrip(".!"), fix) from error


def clean_columns(raw, names, source, place):
    """Checks the columns of a log and names each after its role.

    Args:
        raw: The frame of the columns as they were read.
        names: Dict from each role (`"user"`, `"item"`, `"timestamp"` or a further
            column) to the column's name. If the name for `"timestamp"` is `None`, the
            order of the rows serves as time.
        source: The path or the frame, for error messages.
        place: Function that takes the number of a row and returns a description of
            where it is, for error messages.

    Raises:
        ArgumentError: If values are missing, or invalid for their role.
    """
    _check_missing(raw, names, source, place)
    parts = {
        role: np.arange(len(raw), dtype=np.int64) if name is None else _plain(raw[name])
        for role, name in names.items()
    }
    for role, name in names.items():
        if role in IDS:
            _check_ids(parts[role], named_column(role, name), source)
        elif role != "timestamp":
            parts[role] = as_numeric(parts[role], name, source, place)
        elif name is not None:
            column = named_column(role, name)
            parts[role] = times_of_column(parts[role], column, source, place)
    # Logs are large, so the columns are not copied into one block.
    frame = {
        role: pd.Series(part).reset_index(drop=True) for role, part in parts.items()
    }
    return pd.DataFrame(frame, copy=False)


def _check_missing(raw, names, source, place):
    """Checks that no values are missing; the error names all columns that lack some."""
    roles = {name: role for role, name in names.items() if name is not None}
    missing = {name: raw[name].isna().to_numpy() for name in roles}
    lacking = [
        f"{named_column(roles[name], name)} in {counted(int(rows.sum()), 'row')}"
        for name, rows in missing.items()
        if rows.any()
    ]
    if lacking:
        first = min(np.argmax(rows) for rows in missing.values() if rows.any())
        raise log_error(
            source,
            f"lacks values of {', '.join(lacking)} of {len(raw):,}, the first in "
            f"{place(first)}",
            "Leave such rows out, for example with pandas: "
            f"frame.dropna(subset={list(roles)}). If you read the file with pandas, "
            "dtype=str keeps ids as they are.",
        )


def _plain(column):
    """Returns a column with a plain numpy or pandas dtype."""
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


def _check_ids(ids, column, source):
    """Raises an error or warns if different ids may compare as equal."""
    if ids.dtype.kind == "f":
        largest = float(ids.abs().max())
        if not np.isfinite(largest):
            fix = "Leave it out."
            raise log_error(source, f"has inf among the ids of {column}", fix)
        if np.spacing(ids.dtype.type(largest)) > 1:
            warn(
                f"The ids of {column} in {shown(source)} are {ids.dtype}, which cannot "
                f"distinguish all integers up to the largest one, {largest:.0f}, so "
                "different ids may have become equal. Read them as integers or text.",
            )
    if has_mixed_booleans(ids):
        reason, fix = MIXED_BOOLEANS
        raise log_error(source, f"has the column {column}, which {reason}", fix)


def sort_log(log):
    """Returns the log, sorted by user and time. Events at the same time keep their
    order."""
    order = _sorting_order(_ranks(log["user"]), log["timestamp"].to_numpy())
    if order is None:
        return log
    parts = {name: log[name].take(order).reset_index(drop=True) for name in log}
    return pd.DataFrame(parts, copy=False)


def _ranks(ids):
    """Returns integers that sort in the same order as `ids`."""
    if ids.dtype.kind == "i":
        return ids.to_numpy()
    try:
        codes, unique = pd.factorize(ids)
    except TypeError:
        raise ArgumentError(
            "user",
            "names a column of lists or other values that cannot be ids",
            "Give one id per row, for example with frame.explode(...).",
        ) from None
    try:
        by_rank = pd.Series(unique, dtype=ids.dtype).argsort().to_numpy()
    except TypeError:
        kinds = sorted({type(raw).__name__ for raw in unique})
        raise ArgumentError(
            "user",
            f"names a column of ids of the types {kinds}, which cannot be sorted "
            "together",
            "Give ids of one type, for example with log['user'].astype(str).",
        ) from None
    ranks = np.empty(len(unique), np.int32)
    ranks[by_rank] = np.arange(len(unique), dtype=np.int32)
    return ranks[codes]


def _sorting_order(users, times):
    """Returns the stable order by (user, time), or `None` if rows are sorted."""
    if times.dtype.kind == "M":
        times = times.view(np.int64)
        # Whole seconds may be stored as microseconds. As seconds, they are small
        # enough for the combined key.
        times = times // max(1, int(np.gcd.reduce(times)))
    key = _combined_key(users, times)
    if key is None:
        return np.lexsort((times, users))
    if (key[1:] >= key[:-1]).all():
        return None
    return np.argsort(key, kind="stable")


def _combined_key(users, times):
    """Returns an int64 for each row. Sorting by these numbers sorts the rows by
    (user, time). Returns `None` if times are not integers or an int64 is too small."""
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
