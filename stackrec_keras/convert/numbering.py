"""How StackRec's release numbers the items of a file of sequences."""

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike

import numpy as np
import pandas as pd

from stackrec_keras.data import Vocabulary
from stackrec_keras.data.sequences import are_items, numbers_if_all, read_tokens


@dataclass(frozen=True)
class ReleaseNumbering:
    """The items of a file, in the order in which the release gave them numbers.

    Args:
        vocabulary: `Vocabulary` of the items, without the padding.
        rows: `(num_items + 1,)` integer array, the rows of the release's tables: of
            its padding, then of each item of the vocabulary.
        num_rows: Integer, the rows of the release's tables.
        length: Integer, items in the release's padded rows.
    """

    vocabulary: Vocabulary
    rows: np.ndarray
    num_rows: int
    length: int

    def renumbered(
        self, weights: Mapping[str, np.ndarray], tables: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        """Returns the weights with the rows of these tables in our order: row 0 the
        padding's, which the release may have among its items."""
        for name in tables:
            if len(weights[name]) != self.num_rows:
                raise ValueError(
                    f"The file gives {self.num_rows} items to the release, its padding "
                    f"among them, and weights[{name!r}] has {len(weights[name])}. Give "
                    "the file that the checkpoint was trained on, with its pad and "
                    "user_column."
                )
        return {
            name: np.asarray(value)[self.rows] if name in tables else value
            for name, value in weights.items()
        }


def release_numbering(
    path: str | PathLike,
    user_column: bool = False,
    pad: int | str = 0,
    fills_with_pad: bool = True,
) -> ReleaseNumbering:
    """Reads a file as the release does: ids count from 1 by first appearance, the
    padding like any other.

    Args:
        path: The file of sequences, as for `sr.data.read_sequences`.
        user_column: Boolean, whether the first column is the user's id.
        pad: The id that stands for padding in the file.
        fills_with_pad: Boolean, whether shorter rows are filled with `pad`, as for
            NextItNet and GRec, or with the release's own index 0.
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
    counts = pd.Series(fields).value_counts(sort=False)  # by first appearance
    order = counts.index.to_numpy()
    is_item = are_items(order, pad)
    in_file = (order == str(pad)).any() and (fills_with_pad or not is_short.any())
    padding = 1 + np.flatnonzero(order == str(pad))[0] if in_file else 0
    return ReleaseNumbering(
        Vocabulary(numbers_if_all(order[is_item]), counts[is_item]),
        np.r_[padding, 1 + np.flatnonzero(is_item)],
        len(order) + 1,
        int(sizes.max()),
    )
