"""How StackRec's reference implementation numbers the items of a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike

import numpy as np
import pandas as pd

from stackrec_keras.data import Vocabulary
from stackrec_keras.data.sequences import are_items, numbers_if_all, read_tokens
from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import counted


@dataclass(frozen=True)
class ReferenceNumbering:
    """The items of a file, in the order of the reference implementation's numbers.

    Args:
        vocabulary: `Vocabulary` of the items, without the padding.
        rows: Integer array of shape `(num_items + 1,)` of row numbers in the reference
            implementation's embedding tables. The first is the padding's row. The
            others are the items' rows, in the order of `vocabulary`.
        num_rows: Integer, the number of rows of these tables.
        length: Integer, the length of the sequences after padding.
    """

    vocabulary: Vocabulary
    rows: np.ndarray
    num_rows: int
    length: int

    def renumbered(
        self, weights: Mapping[str, np.ndarray], tables: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        """Returns the weights, with the rows of some tables in the vocabulary's order.

        Row 0 is then the padding's. In a checkpoint, the padding's row may lie among
        the items' rows.

        Args:
            weights: Dict from name to array.
            tables: Names of the tables with a row for each item.
        """
        for name in tables:
            if len(weights[name]) != self.num_rows:
                raise ArgumentError(
                    "sequences",
                    f"needs {self.num_rows:,} rows for its items and the padding, but "
                    f"weights[{name!r}] has "
                    f"{counted(len(weights[name]), 'row')}",
                    "Give the file that the checkpoint was trained on, with its pad "
                    "and user_column.",
                )
        return {
            name: np.asarray(value)[self.rows] if name in tables else value
            for name, value in weights.items()
        }


def reference_numbering(
    path: str | PathLike,
    user_column: bool = False,
    pad: int | str = 0,
    fills_with_pad: bool = True,
) -> ReferenceNumbering:
    """Reads a file as the reference implementation does.

    The reference implementation numbers all ids, including the padding, from 1 in order
    of first appearance.

    Args:
        path: The file of sequences, as for `sr.data.read_sequences`.
        user_column: Boolean, whether the first column is the user's id. Defaults to
            `False`.
        pad: The id that stands for padding in the file. Defaults to `0`.
        fills_with_pad: Boolean, whether shorter rows are filled with `pad`, as for
            NextItNet and GRec, or with a separate index 0. Defaults to `True`.

    Returns:
        A `ReferenceNumbering`.
    """
    rows, codes, texts = read_tokens(path)
    if user_column:
        is_item = np.r_[False, rows[1:] == rows[:-1]]
        rows, codes = rows[is_item], codes[is_item]
    sizes = np.bincount(rows)
    is_short = sizes < sizes.max()
    fields = texts[codes]
    if fills_with_pad:
        starts = np.cumsum(sizes) - sizes
        fields = np.insert(fields, starts[is_short], str(pad))
    counts = pd.Series(fields).value_counts(sort=False)  # in order of first appearance
    order = counts.index.to_numpy()
    is_item = are_items(order, pad)
    in_file = (order == str(pad)).any() and (fills_with_pad or not is_short.any())
    padding = 1 + np.flatnonzero(order == str(pad))[0] if in_file else 0
    return ReferenceNumbering(
        Vocabulary(numbers_if_all(order[is_item]), counts[is_item]),
        np.r_[padding, 1 + np.flatnonzero(is_item)],
        len(order) + 1,
        int(sizes.max()),
    )
