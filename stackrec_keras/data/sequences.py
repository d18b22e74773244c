"""Reads files with one sequence per row, as in StackRec's reference implementation."""

import csv
import io
import re
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from stackrec_keras.arguments import (
    check_bools,
    check_file,
    check_integer,
    check_path,
    is_integer,
)
from stackrec_keras.errors import ArgumentError, warn
from stackrec_keras.wording import shown

from .compressed import open_bytes
from .histories import gather_rows
from .vocabulary import Vocabulary
from .windows import Windows

_INTEGER = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]*([eE][+-]?[0-9]+)?)?|nan|NaN")
_OPENS_LIST = re.compile(r"[\[({][^\])}]*")
_CLOSES_LIST = re.compile(r"[^\[({]*[\])}]")
_LIST_OF_NUMBERS = re.compile(r"\[[0-9\s,.'\"-]*\]")


def read_sequences(
    path: str | PathLike,
    user_column: bool = False,
    pad: int | str | None = 0,
    length: int | None = None,
) -> tuple[Windows, Vocabulary]:
    """Reads a file with one sequence of comma-separated ids per row.

    Rows may differ in length and may be padded on the left or on the right. Spaces
    around an id are ignored. An id that holds a comma must be in quotes. Sequences with
    fewer than two items have no target and are left out; their items stay in the
    vocabulary.

    Args:
        path: The file, without a header; compressed if it ends with `.gz`, `.bz2`,
            `.xz`, `.zip` or `.zst` (which needs zstandard).
        user_column: Boolean, whether the first column is the user's id. Otherwise, each
            row is a separate user. If users' rows come from a window that slides over
            their history, the result is marked as `overlapping`. Defaults to `False`.
        pad: Integer or string, the id that stands for padding, or `None` for no
            padding. It never becomes an item. Defaults to `0`.
        length: Integer, the number of columns of the windows; longer rows keep their
            last items. Defaults to the length of the longest row.

    Returns:
        `(windows, vocabulary)`, like those made from a log. Ids are integers if all of
        them are, otherwise strings.

    Raises:
        FileNotFoundError: If there is no such file.
        IsADirectoryError: If the path is a folder.
        ImportError: If the file ends with `.zst` and zstandard is not installed.
        ArgumentError: If an argument is out of range or of the wrong type, no row has
            two items, or the file has a header, lists in brackets, or numbers such as
            5.0.

    Warns if the first row is 0, 1, 2, ..., which pandas writes as the header of columns
    without names.

    Example:

    ```python
    windows, vocabulary = read_sequences("movielen_20.csv")
    split = split_random(windows)
    ```
    """
    if length is not None:
        check_integer("length", length, 2)
    check_bools(user_column=user_column)
    check_pad(pad)
    rows, codes, ids = read_tokens(path)
    _warn_of_numbers_as_header(rows, codes, ids, path)
    users = None
    if user_column:
        first = np.r_[True, rows[1:] != rows[:-1]] if len(rows) else rows > 0
        users, rows, codes = codes[first], rows[~first], codes[~first]
    check_tokens(rows, codes, ids, pad, path)
    return _to_windows(rows, codes, ids, users, pad, length, path)


def read_tokens(path):
    """Returns `(rows, codes, ids)`: each field's row, its index in `ids`, and the
    different texts."""
    check_path(
        "path",
        path,
        "To read a log, use `read_interactions`; to cut it into rows, use "
        "`make_windows`.",
    )
    path = Path(path)
    check_file("path", path)
    with open_bytes(path, "path") as file:
        data = file.read().removeprefix(b"\xef\xbb\xbf")
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    data = data.rstrip(b"\n") + b"\n"
    _check_text(data, path)
    rows, tokens = (_quoted_tokens if b'"' in data else _plain_tokens)(data, path)
    codes, texts = pd.factorize(tokens)
    ids, again = np.unique(
        np.array([text.strip(" \t") for text in texts], dtype=object),
        return_inverse=True,
    )
    return rows, again[codes], ids


def check_pad(pad):
    """Checks that `pad` is an id that a file can hold."""
    if not (pad is None or isinstance(pad, str) or is_integer(pad)):
        raise ArgumentError(
            "pad",
            "must be an integer or a string, as in the file, or None for no padding",
            received=pad,
        )


def _check_text(data, path):
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise ArgumentError(
            "path",
            f"is not in UTF-8: line {_line_at(data, error.start)} holds "
            f"{data[error.start : error.end]!r}",
            "Save it as UTF-8.",
            path,
        ) from None
    for mark in (b"\0", b"\x1f"):  # pandas cuts text off at \0
        if mark in data:
            line = _line_at(data, data.index(mark))
            reason = f"holds the control character {mark!r} in line {line}"
            raise ArgumentError("path", reason, "Remove it.", path)


def _line_at(data, place):
    return data.count(b"\n", 0, place) + 1


def _plain_tokens(data, path):
    marks = np.frombuffer(data, np.uint8)
    marks = marks[(marks == ord(",")) | (marks == ord("\n"))]
    ends_row = marks == ord("\n")
    tokens = pd.read_csv(
        io.BytesIO(data.replace(b",", b"\n")),
        header=None,
        names=["token"],
        sep="\x1f",
        dtype="str",
        quoting=csv.QUOTE_NONE,
        keep_default_na=False,
        skip_blank_lines=False,
    )["token"]
    return np.cumsum(ends_row) - ends_row, tokens


def _quoted_tokens(data, path):
    rows = []
    for number, line in enumerate(data.decode().split("\n")[:-1], 1):
        try:
            row = next(csv.reader([line], strict=True, skipinitialspace=True), [])
        except csv.Error as error:
            raise ArgumentError(
                "path",
                f"has a quote in line {number} that is not closed before the end of "
                f"its field: {error}. The line is {line[:80]!r}",
                received=path,
            ) from None
        rows.append(row or [""])
    sizes = [len(row) for row in rows]
    tokens = pd.Series([token for row in rows for token in row], dtype=object)
    return np.repeat(np.arange(len(rows)), sizes), tokens


def check_tokens(rows, codes, ids, pad, path):
    """Checks that fields are ids, without brackets or other marks that some programs
    write.

    Args:
        rows: `(fields,)`, the row of each field, in order, excluding user ids.
        codes: `(fields,)`, the index of each field's text in `ids`.
        ids: Array of the different texts.
        pad: The id that stands for padding.
        path: The path, for errors.
    """

    def check_none(wrong, fix):
        """Raises an error about the first wrong field, if any."""
        if wrong.any():
            place = np.argmax(wrong)
            raise ArgumentError(
                "path",
                f"has the field {ids[codes[place]]!r:.60} in line {rows[place] + 1}",
                fix,
                Path(path),
            )

    def fields(matches):
        """Returns `(fields,)` booleans, whether `matches` is true of a field's text."""
        return np.array([bool(matches(text)) for text in ids], bool)[codes]

    closes = fields(_CLOSES_LIST.fullmatch) & np.r_[rows[1:] != rows[:-1], True]
    opens = fields(_OPENS_LIST.fullmatch) & np.isin(rows, rows[closes])
    check_none(
        opens | fields(_LIST_OF_NUMBERS.fullmatch),
        "Write a row as ids with commas between them, without brackets.",
    )
    items = are_items(ids, pad)[codes]
    integer, number = fields(_INTEGER.fullmatch), fields(_NUMBER.fullmatch)
    if number[items].all():
        check_none(
            items & ~integer,
            "Write whole numbers without a point. In pandas, "
            "frame.astype('Int64').to_csv(path, header=False, index=False) does so.",
        )
    others = items & (rows > 0)
    if others.any() and integer[others].all():
        check_none(
            items & (rows == 0) & ~integer,
            "Remove the header: all other lines hold integers.",
        )


def _warn_of_numbers_as_header(rows, codes, ids, path):
    first = ids[codes[rows == 0]].tolist()
    if len(first) > 2 and rows[-1] > 0 and first == [*map(str, range(len(first)))]:
        warn(
            f"The first line of {shown(Path(path))} is {','.join(first):.40}. If "
            "pandas wrote it as a header, remove it.",
        )


def _to_windows(rows, codes, ids, users, pad, length, path):
    real = are_items(ids, pad)[codes]
    rows, codes = rows[real], codes[real]
    starts = row_starts(rows, int(rows[-1]) + 1 if len(rows) else 0)
    sizes = np.diff(starts)
    chosen = np.flatnonzero(sizes >= 2)
    if len(chosen) == 0:
        raise ArgumentError(
            "path",
            f"has no row with at least two items besides the padding pad={shown(pad)}",
            "Check pad and user_column, and that there are commas between ids.",
            Path(path),
        )
    vocabulary, indices = encode_tokens(codes, ids)
    user_ids, user_index = _encode_users(chosen, ids, users)
    items = gather_rows(
        indices, starts[chosen], starts[chosen + 1], length or int(sizes.max())
    )
    windows = Windows(
        items=items,
        users=user_index,
        vocabulary=vocabulary,
        user_ids=user_ids,
        overlapping=_slide(items, user_index),
    )
    return windows, vocabulary


def _slide(items, users):
    """Returns whether most rows are the same user's previous row, shifted by one
    item."""
    same_user = users[1:] == users[:-1]
    moved_on = (items[1:, :-1] == items[:-1, 1:]).all(axis=1)
    return bool(moved_on[same_user].mean() > 0.5) if same_user.any() else False


def are_items(ids, pad):
    """Returns a mask of the texts that are item ids: not empty, not padding."""
    return (ids != "") & (ids != str(pad))


def row_starts(rows, num_rows):
    """Returns an array: the index of each row's first field, then the number of
    fields."""
    starts = np.zeros(num_rows + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=num_rows), out=starts[1:])
    return starts


def encode_tokens(codes, ids):
    """Returns the vocabulary of the fields, and each field's index in it."""
    counts = np.bincount(codes, minlength=len(ids))
    used = np.flatnonzero(counts)
    raw = numbers_if_all(ids[used])
    order = np.argsort(raw, kind="stable")
    vocabulary = Vocabulary(raw[order], counts[used][order])
    table = np.zeros(len(ids), np.int32)
    table[used[order]] = np.arange(1, len(used) + 1)
    return vocabulary, table[codes]


def _encode_users(chosen, ids, users):
    if users is None:
        return np.arange(len(chosen)), np.arange(len(chosen), dtype=np.int32)
    codes, unique = pd.factorize(users[chosen])
    raw = numbers_if_all(ids[unique])
    order = np.argsort(raw, kind="stable")
    ranks = np.empty(len(raw), np.int32)
    ranks[order] = np.arange(len(raw), dtype=np.int32)
    return raw[order], ranks[codes]


def numbers_if_all(texts):
    """Returns integers if each text is an integer in its shortest form."""
    try:
        numbers = [int(text) for text in texts]
    except ValueError:
        return texts
    if any(str(number) != text for number, text in zip(numbers, texts, strict=True)):
        return texts
    fit = all(-(2**63) <= number < 2**63 for number in numbers)
    return np.array(numbers, dtype=np.int64 if fit else object)
