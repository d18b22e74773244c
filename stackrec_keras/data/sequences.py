"""Files with a sequence a row, as the StackRec release has them, to windows."""

import csv
import io
from os import PathLike

import numpy as np
import pandas as pd

from .arguments import (
    as_path,
    check_file,
    check_integer,
    check_pad,
    check_switch,
    shown,
)
from .histories import gather_rows
from .vocabulary import Vocabulary
from .windows import Windows


def read_sequences(
    path: str | PathLike,
    user_column: bool = False,
    pad: int | str | None = 0,
    length: int | None = None,
) -> tuple[Windows, Vocabulary]:
    """Reads a file with a row for each sequence: ids, separated by commas.

    Rows may differ in length and may be padded on the left or on the right.
    Sequences with fewer than two items are left out, for they have no target; their
    items stay in the vocabulary.

    Args:
        path: The file; no header.
        user_column: Whether the first column is the user's id. Without it each row
            is a user of its own.
        pad: The id that stands for padding, or None for no padding. It never
            becomes an item.
        length: Columns of the windows; longer rows keep their last items. By
            default as long as the longest row.

    Returns:
        `(windows, vocabulary)`, as a log gives them. Ids are integers where all of
        them are, else strings.

    Raises:
        FileNotFoundError: There is no such file.
        IsADirectoryError: The path is that of a folder.
        ValueError: An argument is out of range or of another kind, or no row has two
            items.

    Example:

    ```python
    windows, vocabulary = read_sequences("movielen_20.csv")
    split = split_random(windows)
    ```
    """
    if length is not None:
        check_integer("length", length, 2)
    check_switch("user_column", user_column)
    check_pad(pad)
    rows, codes, ids = read_tokens(path)
    users = None
    if user_column:
        first = np.r_[True, rows[1:] != rows[:-1]] if len(rows) else rows > 0
        users, rows, codes = codes[first], rows[~first], codes[~first]
    return _to_windows(rows, codes, ids, users, pad, length, path)


def read_tokens(path):
    """Row and code of each field in the file, and the text of each code."""
    path = as_path(path)
    check_file("path", path)
    data = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    data = data.rstrip(b"\n") + b"\n"
    marks = np.frombuffer(data, np.uint8)
    marks = marks[(marks == ord(",")) | (marks == ord("\n"))]
    ends_row = marks == ord("\n")
    rows = np.cumsum(ends_row) - ends_row
    try:
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
    except UnicodeDecodeError:
        raise ValueError(
            f"'{path}' (path) is not in UTF-8. Save it as UTF-8."
        ) from None
    codes, texts = pd.factorize(tokens)
    ids, again = np.unique(
        np.array([text.strip(' "\t') for text in texts], dtype=object),
        return_inverse=True,
    )
    return rows, again[codes], ids


def _to_windows(rows, codes, ids, users, pad, length, path):
    real = are_items(ids, pad)[codes]
    rows, codes = rows[real], codes[real]
    starts = row_starts(rows, int(rows[-1]) + 1 if len(rows) else 0)
    sizes = np.diff(starts)
    chosen = np.flatnonzero(sizes >= 2)
    if len(chosen) == 0:
        raise ValueError(
            f"'{path}' (path) has no row with two items or more beside the padding "
            f"pad={shown(pad)}; check pad and user_column."
        )
    vocabulary, indices = encode_tokens(codes, ids)
    user_ids, user_index = _encode_users(chosen, ids, users)
    windows = Windows(
        items=gather_rows(
            indices, starts[chosen], starts[chosen + 1], length or int(sizes.max())
        ),
        users=user_index,
        vocabulary=vocabulary,
        user_ids=user_ids,
    )
    return windows, vocabulary


def are_items(ids, pad):
    """Which texts are ids of items: neither nothing nor the padding."""
    return (ids != "") & (ids != str(pad))


def row_starts(rows, num_rows):
    """`(num_rows + 1,)`: where each row's fields start, `rows` being in order."""
    starts = np.zeros(num_rows + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=num_rows), out=starts[1:])
    return starts


def encode_tokens(codes, ids):
    """The vocabulary of the fields with these codes, and the index of each."""
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
    """Texts as int64 where each of them is just how its number is written."""
    try:
        numbers = [int(text) for text in texts]
    except ValueError:
        return texts
    if any(str(number) != text for number, text in zip(numbers, texts, strict=True)):
        return texts
    return np.array(numbers, dtype=np.int64)
