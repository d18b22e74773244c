"""Interaction logs: files and frames of many forms to one sorted frame."""

import csv
import gzip
import io
import numbers
import zipfile
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from .arguments import check_file, counted, shown

_TEXT_SEPARATORS = {".csv": ",", ".tsv": "\t", ".inter": "\t"}
# Of a .csv, as spreadsheets write it in some countries, and databases.
_OTHER_SEPARATORS = (";", "\t", "|")
_KNOWN_FORMS = ".csv, .tsv, .inter, .dat, .parquet"
_MOVIELENS_COLUMNS = ["user", "item", "rating", "timestamp"]
# A byte that no text file holds: titles contain every printable separator.
_UNIT_SEPARATOR = "\x1f"


def read_interactions(
    path_or_frame: str | PathLike | pd.DataFrame,
    user: str = "user",
    item: str = "item",
    timestamp: str | None = "timestamp",
) -> pd.DataFrame:
    """Reads an interaction log and sorts it by user and time.

    Forms, told apart by the file's extension: `.csv` (with commas, or with
    semicolons, tabs or pipes if its header has no comma), `.tsv`, `.inter` (RecBole;
    a column may be named with or without its `:type`), `.dat` (MovieLens:
    `user::item::rating::timestamp`, no header), `.parquet` (needs pyarrow). The
    text forms may be compressed (`.csv.gz`, ...), except `.dat`. Ids may be of any
    sortable type; numbers in text files are read as numbers (give a frame with
    strings where `"007"` and `"7"` differ).

    The sort is stable: events of one user at one time keep the order of the file.

    Args:
        path_or_frame: A path, a pandas frame, anything with a `to_pandas` method
            (a polars frame, an Arrow table), or anything `pandas.DataFrame()` takes
            (a dict of columns, a list of records).
        user: Name of the column of user ids.
        item: Name of the column of item ids.
        timestamp: Name of the column of times: numbers, datetimes or ISO 8601
            strings. `None` takes the order of the rows as time.

    Where a name is left at its default and there is no such column, the same
    name with `_id` (`user_id`, `item_id`) is accepted.

    Returns:
        A frame with exactly the columns `user`, `item` and `timestamp`, sorted by
        (user, timestamp), its index 0 to rows - 1.

    Raises:
        FileNotFoundError: There is no such file.
        IsADirectoryError: The path is that of a folder.
        ImportError: A Parquet file is given and pyarrow is not installed.
        ValueError: The extension is unknown, the file is not in that form or not in
            UTF-8, a column is missing, there twice or named twice, a value is
            missing, times are of two kinds, or there are no rows.

    Example:

    ```python
    log = read_interactions("ratings.dat")
    log = read_interactions("clicks.csv", user="session", item="article")
    ```
    """
    columns = {"user": user, "item": item, "timestamp": timestamp}
    _check_names(columns)
    if isinstance(path_or_frame, (str, Path)):
        raw, names = _read_file(Path(path_or_frame), columns)
        source = f"'{path_or_frame}'"
    else:
        raw = _as_frame(path_or_frame)
        names = _match_columns(raw.columns, columns, "the frame")
        source = "the frame"
    if len(raw) == 0:
        raise ValueError(
            f"The log in {source} has no rows; it must have at least one interaction."
        )
    return _sort(_clean(raw, names, source))


def _check_names(columns):
    for role, name in columns.items():
        is_name = pd.api.types.is_scalar(name) or isinstance(name, tuple)
        if not is_name or (name is None and role != "timestamp"):
            raise ValueError(
                f"{role}={shown(name)} must be the name of a column, such as "
                f"{role}={role!r}."
            )


def _read_file(path, columns):
    looked_up = f"check the path, it is looked up from the folder {Path.cwd()}"
    check_file("path_or_frame", path, looked_up)
    form = _form(path)
    try:
        if form == ".dat":
            raw = _read_movielens(path)
            return raw, _match_columns(raw.columns, columns, f"'{path}'")
        if form == ".parquet":
            return _read_parquet(path, columns)
        return _read_text(path, columns, form)
    except pd.errors.EmptyDataError:
        raise ValueError(
            f"The log in '{path}' has no rows and no header; it must have at least "
            "one interaction."
        ) from None
    except UnicodeDecodeError:
        raise ValueError(
            f"'{path}' (path_or_frame) is not in UTF-8. Save it as UTF-8, or give the "
            "frame: pandas.read_csv(path, sep=..., encoding='cp1252'), or 'utf-16', if "
            "it comes from Windows."
        ) from None
    except (pd.errors.ParserError, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise ValueError(
            f"'{path}' (path_or_frame) cannot be read as {''.join(path.suffixes)}: "
            f"{error}. Mend or rename it, or read it with pandas and give the frame."
        ) from error


def _form(path):
    known = [*_TEXT_SEPARATORS, ".dat", ".parquet"]
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compressed = suffixes and suffixes[-1] in {".gz", ".bz2", ".xz", ".zip", ".zst"}
    form = (suffixes[:-1] if compressed else suffixes)[-1:]
    form = form[0] if form else ""
    if form not in known or (compressed and form not in _TEXT_SEPARATORS):
        raise ValueError(
            f"'{path}' (path_or_frame) has the unknown extension "
            f"'{''.join(suffixes[-2:])}'; known are {_KNOWN_FORMS}. Rename the file, "
            "or read it with pandas and give the frame."
        )
    return form


def _read_text(path, columns, form):
    # An item may be called "NA" or "null": only an empty field is missing.
    options = {
        "sep": _TEXT_SEPARATORS[form],
        "keep_default_na": False,
        "na_values": [""],
    }
    if form == ".inter":
        options["quoting"] = csv.QUOTE_NONE
    header = pd.read_csv(path, nrows=0, **options).columns
    # A log has two columns at least: one alone has another separator.
    if form == ".csv" and len(header) == 1:
        seen = [sep for sep in _OTHER_SEPARATORS if sep in header[0]]
        if seen:
            options["sep"] = seen[0]
            header = pd.read_csv(path, nrows=0, **options).columns
    if len(header) == 1:
        raise ValueError(
            f"The header of '{path}' (path_or_frame) is one field alone, "
            f"{header[0]!r}. Separate its fields by "
            f"{'commas' if form == '.csv' else 'tabs'}, or read it with "
            "pandas.read_csv(path, sep=...) and give the frame."
        )
    names = _match_columns(header, columns, f"'{path}'")
    wanted = [name for name in names.values() if name is not None]
    return pd.read_csv(path, usecols=wanted, low_memory=False, **options), names


def _read_movielens(path):
    data = path.read_bytes()
    first = data.split(b"\n", 1)[0]
    if data and first.count(b"::") != len(_MOVIELENS_COLUMNS) - 1:
        raise ValueError(
            f"The first line of '{path}' is not user::item::rating::timestamp but "
            f"{first[:60]!r}; a .dat file must have this MovieLens form. Rename "
            "other forms to .csv or .tsv."
        )
    return pd.read_csv(
        io.BytesIO(data.replace(b"::", _UNIT_SEPARATOR.encode())),
        sep=_UNIT_SEPARATOR,
        header=None,
        names=_MOVIELENS_COLUMNS,
        quoting=csv.QUOTE_NONE,
        keep_default_na=False,
        na_values=[""],
        low_memory=False,
    )


def _read_parquet(path, columns):
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise ImportError(
            f"Reading '{path}' needs pyarrow, which is not installed: "
            "`pip install pyarrow`, or write the log as .csv."
        ) from None
    try:
        available = parquet.read_schema(path).names
    except ValueError as error:
        raise ValueError(
            f"'{path}' (path_or_frame) cannot be read as .parquet: {error} Mend or "
            "rename it."
        ) from error
    names = _match_columns(available, columns, f"'{path}'")
    wanted = [name for name in names.values() if name is not None]
    return pd.read_parquet(path, columns=wanted), names


def _as_frame(data):
    # pandas would take a polars frame for a list of columns, and lose their names.
    if hasattr(data, "to_pandas"):
        data = data.to_pandas()
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


def _match_columns(available, columns, source):
    """Maps `user`, `item`, `timestamp` to the names in `available`."""
    available = list(available)
    bare = {}
    for name in available:
        bare.setdefault(str(name).split(":")[0], name)
    found = {
        role: _match_column(role, name, available, bare)
        for role, name in columns.items()
    }
    lost = {
        role: name
        for role, name in columns.items()
        if name is not None and found[role] is None
    }
    if lost:
        what = " and no column ".join(f"{lost[role]!r} ({role})" for role in lost)
        names = ", ".join(f"{role}=..." for role in lost)
        flags = " ".join(f"--{role} ..." for role in lost)
        hint = ", timestamp=None takes the rows' order" if "timestamp" in lost else ""
        raise ValueError(
            f"There is no column {what} in {source}; the columns are {available}. "
            f"Name the right ones: {names} (on the command line {flags}){hint}."
        )
    for role, name in found.items():
        if available.count(name) > 1:
            raise ValueError(
                f"There are {available.count(name)} columns {name!r} ({role}) in "
                f"{source}; rename all but one."
            )
    _check_roles(found)
    return found


def _check_roles(found):
    """Raises a ValueError if one column is to be two things."""
    roles = {}
    for role, name in found.items():
        if name is not None and name in roles:
            raise ValueError(
                f"The column {shown(name)} is named twice, as {roles[name]} and as "
                f"{role}; name another one for {role}."
            )
        roles[name] = role


def _match_column(role, name, available, bare):
    if name is None and role == "timestamp":
        return None
    if name in available:
        return name
    if name in bare:
        return bare[name]
    return bare.get(f"{role}_id") if name == role else None


def _clean(raw, names, source):
    _check_missing(raw, names, source)
    parts = {
        role: _plain(raw[name])
        if name is not None
        else np.arange(len(raw), dtype=np.int64)
        for role, name in names.items()
    }
    if names["timestamp"] is not None:
        parts["timestamp"] = _as_time(parts["timestamp"], names["timestamp"])
    # Columns are kept apart, not copied: logs are large.
    frame = {
        role: pd.Series(part).reset_index(drop=True) for role, part in parts.items()
    }
    return pd.DataFrame(frame, copy=False)


def _check_missing(raw, names, source):
    """Raises a ValueError that names all columns which lack values."""
    wanted = {name: role for role, name in names.items() if name is not None}
    missing = {name: int(raw[name].isna().sum()) for name in wanted}
    lacking = [
        f"{name!r} ({wanted[name]}) in {counted(number, 'row')}"
        for name, number in missing.items()
        if number
    ]
    if lacking:
        raise ValueError(
            f"Values are missing in {source}, of {counted(len(raw), 'row')}: "
            f"{', '.join(lacking)}. Read the log with pandas and give it without such "
            f"rows: frame.dropna(subset={list(wanted)})."
        )


def _plain(column):
    """A column without categories and without nullable numbers."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if pd.api.types.is_extension_array_dtype(column.dtype):
        if pd.api.types.is_numeric_dtype(column.dtype):
            return column.astype(column.dtype.numpy_dtype)
    return column


def _as_time(column, name):
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC").dt.tz_localize(None)
    if column.dtype.kind in "iufM":
        return column
    as_numbers = pd.to_numeric(column, errors="coerce")
    if as_numbers.notna().all():
        return as_numbers
    dates = column
    if column.dtype == object:
        # pandas takes a number among dates for one: 2000 for a year.
        is_number = column.map(lambda value: isinstance(value, numbers.Number))
        dates = column.mask(is_number, None)
    times = pd.to_datetime(dates, format="ISO8601", utc=True, errors="coerce")
    if times.notna().all():
        return times.dt.tz_localize(None)
    raise ValueError(_wrong_times(column, name, as_numbers, times))


def _wrong_times(column, name, as_numbers, times):
    """What an error says of times that are none, or not all of one kind."""
    wrong = np.flatnonzero(as_numbers.isna() & times.isna())
    if len(wrong) == 0:
        number = np.flatnonzero(times.isna())[0]
        date = np.flatnonzero(as_numbers.isna())[0]
        return (
            f"The column {name!r} (timestamp) mixes numbers, such as "
            f"{shown(column.iloc[number])} in row {number} (from 0), with dates, such "
            f"as '{column.iloc[date]}' in row {date}. Give all in one form: "
            "pandas.to_datetime(numbers, unit='s') makes dates of seconds."
        )
    return (
        f"The column {name!r} (timestamp) holds {shown(column.iloc[wrong[0]])} in row "
        f"{wrong[0]} (from 0), which is neither a number nor an ISO 8601 time; so it "
        f"is in {len(wrong)} of {counted(len(column), 'row')}. Convert the column with "
        "pandas.to_datetime(column, format=...) first, or mend those rows: a comma "
        "within a field needs quotes around the field."
    )


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
