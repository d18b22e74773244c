"""Reads files of users who have items in two catalogues."""

from os import PathLike
from pathlib import Path

import numpy as np

from stackrec_keras.arguments import check_integer
from stackrec_keras.errors import ArgumentError, warn
from stackrec_keras.wording import agreeing, counted, shown

from .histories import gather_rows
from .sequences import (
    are_items,
    check_pad,
    check_tokens,
    encode_tokens,
    numbers_if_all,
    read_tokens,
    row_starts,
)
from .transfer import TransferPairs
from .vocabulary import Vocabulary, check_vocabulary


def read_transfer(
    path: str | PathLike,
    source_vocabulary: Vocabulary | None = None,
    target_vocabulary: Vocabulary | None = None,
    pad: int | str | None = 0,
    length: int | None = None,
) -> TransferPairs:
    """Reads a file with one user per row: `source ids,,target ids`.

    Commas separate ids, and an empty field separates the two sides. Users are numbered
    by their rows in the file, from 0. Items that are not in a given vocabulary are left
    out with a warning; users without a source or a target item have no pairs.

    Args:
        path: The file, without a header. It may be compressed, as for
            `read_sequences`.
        source_vocabulary: The `Vocabulary` of the source items: `model.vocabulary` of
            the model trained on them. Defaults to the file's own.
        target_vocabulary: The `Vocabulary` of the target items. Defaults to the file's
            own.
        pad: Integer or string, the id that stands for padding, or `None` for no
            padding. Defaults to `0`.
        length: Integer, the number of columns of the histories; longer histories keep
            their last items. Defaults to the length of the longest history.

    Returns:
        `TransferPairs`.

    Raises:
        FileNotFoundError: If there is no such file.
        IsADirectoryError: If the path is a folder.
        ImportError: If the file ends with `.zst` and zstandard is not installed.
        ArgumentError: If a row is not `source ids,,target ids`, if `length` is below 1,
            or if no user has both a source item and a target item.

    Example:

    ```python
    pairs = sr.data.read_transfer("food_kitchen.csv", model.vocabulary, length=50)
    split = pairs.split()
    ```
    """
    if length is not None:
        check_integer("length", length, 1)
    check_pad(pad)
    if source_vocabulary is not None:
        check_vocabulary("source_vocabulary", source_vocabulary)
    if target_vocabulary is not None:
        check_vocabulary("target_vocabulary", target_vocabulary)
    rows, codes, ids = read_tokens(path)
    check_tokens(rows, codes, ids, pad, path)
    num_rows = int(rows[-1]) + 1
    side = _sides(rows, codes, ids, path)
    items = are_items(ids, pad)[codes]
    chosen = items & (side == 0)
    source_rows, source, source_vocabulary = _one_side(
        rows[chosen], codes[chosen], ids, source_vocabulary, "source"
    )
    chosen = items & (side == 1)
    users, targets, target_vocabulary = _one_side(
        rows[chosen], codes[chosen], ids, target_vocabulary, "target"
    )
    starts = row_starts(source_rows, num_rows)
    sizes = np.diff(starts)
    paired = sizes[users] > 0
    if not paired.any():
        raise ArgumentError(
            "path",
            "has no row with both a known source item and a known target item, apart "
            f"from the padding, pad={shown(pad)}",
            "Check pad and the vocabularies.",
            Path(path),
        )
    return TransferPairs(
        histories=gather_rows(
            source, starts[:-1], starts[1:], length or int(sizes.max())
        ),
        users=users[paired].astype(np.int32),
        targets=targets[paired],
        vocabulary=source_vocabulary,
        target_vocabulary=target_vocabulary,
    )


def _sides(rows, codes, ids, path):
    """Returns the side of each field: 0 for source items, otherwise 1. Checks that each
    row has two sides."""
    empty = (ids == "")[codes]
    so_far = np.cumsum(empty)
    first = np.r_[True, rows[1:] != rows[:-1]]
    before = (so_far - empty)[first]
    side = so_far - before[rows]
    per_row = np.bincount(rows, weights=empty)
    wrong = per_row[rows] == 0
    wrong |= ~empty & (side > 1)
    if wrong.any():
        row = rows[np.argmax(wrong)]
        fields = ",".join(ids[codes[rows == row]])
        raise ArgumentError(
            "path",
            "must have rows of the form `source ids,,target ids`, but row "
            f"{row + 1} is {fields[:80]!r}",
            "Put one empty field between the two sides.",
            Path(path),
        )
    return side


def _one_side(rows, codes, ids, vocabulary, name):
    """Encodes one side: returns each item's row and index, and the vocabulary."""
    if vocabulary is None:
        vocabulary, indices = encode_tokens(codes, ids)
        return rows, indices, vocabulary
    used = np.unique(codes)
    raw = ids[used]
    if vocabulary.ids.dtype.kind == "i":
        raw = numbers_if_all(raw)
    table = np.zeros(len(ids), np.int32)
    table[used] = vocabulary.encode(raw)
    indices = table[codes]
    unknown = int((indices == 0).sum())
    if unknown:
        warn(
            f"{unknown} of {counted(len(indices), f'{name} item')} "
            f"{agreeing(unknown, 'was', 'were')} left out because "
            f"{name}_vocabulary does not have them.",
        )
    return rows[indices > 0], indices[indices > 0], vocabulary
