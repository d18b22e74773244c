"""Reads columns of a text file, and checks the rows of the file."""

import io

import pandas as pd

from stackrec_keras.errors import warn
from stackrec_keras.wording import agreeing, counted, shown

from .columns import log_error
from .text_ids import as_integers, count_digits, is_text
from .text_rows import CheckedRows, find_fault


def read_table(open_file, form, has_header, ids, others, time, path):
    """Reads the columns of ids and times, and further columns.

    Args:
        open_file: Function without arguments that opens the file for reading bytes,
            for use in a `with` statement.
        form: `TextForm` of the file.
        has_header: Boolean, whether the first row is a header.
        ids: Dict from the position of each id column to a boolean: whether its ids stay
            text even if all are integers.
        others: List of the positions of further columns.
        time: Integer, the position of the column of times, or `None`.
        path: The file's path, for error messages.

    Returns:
        A frame whose columns are named by their positions.

    Raises:
        ArgumentError: If rows differ in their number of fields, or a quote is not
            closed.
    """
    places = [*ids, *others] if time is None else [*ids, *others, time]
    header = 0 if has_header else None
    parser_error = None
    with open_file() as file:
        rows = CheckedRows(file, form)
        try:
            frame = _parse(rows, form, places, header=header)
        except pd.errors.ParserError as error:
            parser_error = error
    rows.finish()
    if parser_error or not rows.regular:
        with open_file() as file:
            what, fix = find_fault(file, form, time) or (parser_error, "")
        if what:
            reason = f"cannot be read as {form.extension}: {what}"
            raise log_error(path, reason, fix)
    if rows.has_nul and not _keeps_nul():
        with open_file() as file:
            line = next(line for line, text in enumerate(file, 1) if b"\0" in text)
        raise log_error(
            path,
            f"holds a NUL character in line {line}, and this version of pandas drops "
            "the text after such a character",
            "Install pandas 3, or remove the character.",
        )
    lengths = rows.lengths(has_header) if rows.regular else [-1] * len(form.first_row)
    in_doubt = [
        place
        for place, stays_text in ids.items()
        if not is_text(frame[place])
        # pandas reads "05", "+5" and " 5" as 5. The column's text is then longer than
        # the digits of its integers.
        and (stays_text or count_digits(frame[place]) != lengths[place])
    ]
    if in_doubt:
        texts = _read_texts(open_file, form, in_doubt, header)
        for place in in_doubt:
            text = texts[place]
            frame[place] = text if ids[place] else as_integers(text)
    last = len(form.first_row) - 1
    if rows.mixed_line_ends and last in ids and is_text(frame[last]):
        _warn_of_carriage_returns(frame[last], path)
    return frame


def _parse(file, form, places, **options):
    frame = pd.read_csv(
        file,
        sep=form.separator,
        quoting=form.csv_options["quoting"],
        lineterminator=form.terminator,
        usecols=places,
        index_col=False,
        # An item may be called "NA" or "null": only an empty field is missing.
        keep_default_na=False,
        na_values=[""],
        low_memory=False,
        **options,
    )
    frame.columns = sorted(places)
    return frame


def _read_texts(open_file, form, places, header):
    if header is not None:
        # Reading the header as a value makes pandas treat the column as text. This
        # takes a fifth of the time that reading with a dtype takes.
        with open_file() as file:
            frame = _parse(file, form, places, header=None)
        if all(is_text(frame[place]) for place in places):
            return frame.iloc[1:].reset_index(drop=True)
    with open_file() as file:
        return _parse(file, form, places, header=header, dtype=str)


def _keeps_nul():
    return pd.read_csv(io.BytesIO(b"x\na\0b"), dtype=str)["x"][0] == "a\0b"


def _warn_of_carriage_returns(ids, path):
    number = int(ids.str.endswith("\r").sum())
    if number:
        warn(
            f"{number:,} of {counted(len(ids), 'id')} in the last column of "
            f"{shown(path)} {agreeing(number, 'ends', 'end')} with a carriage return: "
            "the first line ends with '\\n', but other lines end with '\\r\\n'. If the "
            "carriage returns are not part of the ids, rewrite the file with one "
            "kind of line end.",
        )
