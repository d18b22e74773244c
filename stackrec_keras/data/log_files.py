"""Reads files of interaction logs: text, MovieLens' form and Parquet."""

import contextlib
import io
from functools import partial

import numpy as np
import pandas as pd

from stackrec_keras.arguments import check_file

from .columns import (
    IDS,
    ROLES,
    check_for_header,
    find_columns,
    log_error,
    lost_columns,
    match_columns,
    no_header,
    numbered_columns,
)
from .compressed import compression_of, open_bytes
from .text_rows import UNIT_SEPARATOR, first_rows, line_of_row, read_form
from .text_table import read_table

_ARGUMENT = "path_or_frame"
_SEPARATORS = {
    # Commas, or the separators that some spreadsheets and databases write.
    ".csv": (",", ";", "\t", "|"),
    ".tsv": ("\t",),
    ".inter": ("\t",),
}
_MOVIELENS_COLUMNS = ["user", "item", "rating", "timestamp"]
_BEGINNING = 1 << 20


def read_file(path, columns):
    """Reads the columns of a log from a file.

    Args:
        path: `Path` of the file.
        columns: Dict from each role to the caller's column name or number.

    Returns:
        `(frame, names, place)`: the columns, a dict from role to column name, and a
        function that takes a row's number and describes its place, for errors.

    Raises:
        The same errors as `read_interactions`.
    """
    check_file(_ARGUMENT, path)
    suffix = _form_of(path)
    try:
        if suffix == ".dat":
            return _read_movielens(path, columns)
        if suffix == ".parquet":
            return _read_parquet(path, columns)
        return _read_text(path, columns, suffix)
    except UnicodeDecodeError:
        raise log_error(
            path,
            f"is not in UTF-8{_place_of_other_bytes(path)}",
            "Save it as UTF-8, or give the frame: pandas.read_csv(path, sep=..., "
            "encoding='cp1252', dtype=str). A file from Windows may need "
            "encoding='utf-16'.",
        ) from None


def _form_of(path):
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = compression_of(path)
    form = "".join(suffixes[:-1][-1:] if compression else suffixes[-1:])
    known = [*_SEPARATORS] if compression else [*_SEPARATORS, ".dat", ".parquet"]
    if form not in known:
        of_what = f" of a {compression} file" if compression else ""
        raise log_error(
            path,
            f"has the unknown extension '{''.join(suffixes[-2:])}'. The known "
            f"extensions{of_what} are {', '.join(known)}",
            "Rename the file, or read it with pandas and give the frame.",
        )
    return form


def _place_of_other_bytes(path):
    with open_bytes(path, _ARGUMENT) as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return f": line {number} holds {line[error.start : error.end]!r}"
    return ""


def _read_text(path, columns, suffix):
    with open_bytes(path, _ARGUMENT) as file:
        begin = file.read(_BEGINNING)
    form = _find_form(path, begin, columns, suffix)
    places = numbered_columns(columns, form.first_row, path)
    header = None
    if places is None:
        header = form.first_row
        if not any(find_columns(header, columns).values()):
            check_for_header(header, first_rows(begin, form), path)
        names = match_columns(header, columns, path)
        places = {
            role: None if name is None else header.index(name)
            for role, name in names.items()
        }
    open_file = partial(open_bytes, path, _ARGUMENT)
    has_header = header is not None
    place = partial(_place_of_row, open_file, form, has_header)
    frame = read_table(
        open_file,
        form,
        has_header,
        # RecBole's types: a token is text, whatever it looks like.
        {places[role]: form.first_row[places[role]].endswith(":token") for role in IDS},
        _other_places(places),
        places["timestamp"],
        path,
    )
    if not has_header:
        return frame, places, place
    frame = frame.rename(columns=dict(enumerate(header)))
    _check_header_is_no_row(frame, header, names, columns, path, place)
    return frame, names, place


def _other_places(places):
    """Returns the positions of the further columns."""
    return [place for role, place in places.items() if role not in ROLES]


def _place_of_row(open_file, form, has_header, row):
    with open_file() as file:
        return f"line {line_of_row(file, form, row + has_header)}"


def _check_header_is_no_row(frame, header, names, columns, path, place):
    """Checks that the header is not itself a row, and is not repeated below."""
    # pandas writes a header of numbers for columns without names.
    if header == [str(number) for number in range(len(header))]:
        return
    for role in IDS:
        if columns[role] != role and _equals(frame[names[role]], names[role]).any():
            raise no_header(header, path)
    rows = np.flatnonzero(_equals(frame[names["user"]], names["user"]))
    rows = rows[_equals(frame[names["item"]].iloc[rows], names["item"])]
    if len(rows):
        raise log_error(path, f"repeats its header in {place(rows[0])}")


def _equals(column, text):
    if column.dtype.kind in "iu":
        if not text.isdecimal():
            return np.zeros(len(column), bool)
        text = int(text)
    return (column == text).to_numpy(bool, na_value=False)


def _find_form(path, begin, columns, suffix):
    """Returns the `TextForm` with the first separator at which all columns are found,
    or with the one that gives the most columns."""
    quoted = suffix != ".inter"
    extension = suffix + compression_of(path)
    forms = [
        read_form(begin, extension, separator, quoted)
        for separator in _SEPARATORS[suffix]
    ]
    forms_with_fields = [form for form in forms if len(form.first_row) > 1]
    if not forms[0].first_row:
        fix = "A log needs at least one interaction."
        raise log_error(path, "has no rows and no header", fix)
    # A log has at least two columns.
    if not forms_with_fields:
        raise log_error(
            path,
            f"has a header of a single field, {forms[0].first_row[0]!r}",
            f"Separate its fields by {'commas' if suffix == '.csv' else 'tabs'}, or "
            "read it with pandas.read_csv(path, sep=..., dtype=str).",
        )
    for form in forms_with_fields:
        if not lost_columns(find_columns(form.first_row, columns), columns):
            return form
    return max(forms_with_fields, key=lambda form: len(form.first_row))


def _read_movielens(path, columns):
    names = match_columns(_MOVIELENS_COLUMNS, columns, path)
    data = path.read_bytes()
    first = data.split(b"\n", 1)[0]
    if data and first.count(b"::") != len(_MOVIELENS_COLUMNS) - 1:
        raise log_error(
            path,
            "must have MovieLens' form user::item::rating::timestamp, but its first "
            f"line is {first[:60]!r}",
            "If it has another form, rename it to .csv or .tsv.",
        )
    for mark, why in ((UNIT_SEPARATOR, "a control character"), (b":::", "':::'")):
        if mark in data:
            line = data.count(b"\n", 0, data.index(mark)) + 1
            raise log_error(
                path, f"holds {why} in line {line}, so its fields cannot be told apart"
            )
    data = data.replace(b"::", UNIT_SEPARATOR)
    form = read_form(data[:_BEGINNING], ".dat", UNIT_SEPARATOR.decode(), False)
    if not data:
        return pd.DataFrame(columns=_MOVIELENS_COLUMNS), names, place_in_frame
    places = {
        role: _MOVIELENS_COLUMNS.index(names[role]) for role in names if names[role]
    }
    open_file = partial(io.BytesIO, data)
    frame = read_table(
        open_file,
        form,
        False,
        {places[role]: False for role in IDS},
        _other_places(places),
        places.get("timestamp"),
        path,
    )
    frame = frame.rename(columns=dict(enumerate(_MOVIELENS_COLUMNS)))
    return frame, names, partial(_place_of_row, open_file, form, False)


def _read_parquet(path, columns):
    with open_parquet(path) as file:
        names = match_columns(file.schema_arrow.names, columns, path)
        wanted = [name for name in names.values() if name is not None]
        table = file.read(columns=wanted)
    # With the metadata, pandas would turn a column back into an index.
    return table.to_pandas(ignore_metadata=True), names, place_in_frame


@contextlib.contextmanager
def open_parquet(path):
    """Returns a context manager that opens a Parquet file; its errors name the file.

    Args:
        path: `Path` of the file.

    Raises:
        ImportError: If pyarrow is not installed.
        ArgumentError: If the file is damaged.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ImportError(
            f"Reading '{path}' needs pyarrow, which is not installed: "
            "`pip install pyarrow` (or 'stackrec-keras[parquet]'), or write the log "
            "as .csv."
        ) from None
    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except (pyarrow.ArrowException, OSError) as error:
        raise log_error(
            path,
            f"cannot be read as .parquet: {str(error).rstrip('.')}",
            "If it is damaged, write or fetch it again. If it is not .parquet, rename "
            "it.",
        ) from error


def place_in_frame(row):
    """Describes the position of a row in a frame, for errors."""
    return f"row {row} (from 0)"
