"""Puts rows of similar length in one batch, so that their common padding can be cut."""

import numpy as np

from .rows import Inputs, Rows

_POOL = 16  # batches whose rows are sorted together; more leave less to chance
_NUM_WIDTHS = 5  # the backend compiles a step for each width
_MULTIPLE = 8  # widths that suit vector units


class LengthGroups:
    """Batches of rows of similar length.

    A batch is cut to one of at most five widths. Each is as wide as the rows at a
    quintile of the lengths.

    Args:
        rows: `Rows`.
        batch_size: Integer.

    Attributes:
        full_width: Integer, the number of columns of the uncut items.
        cuts: Boolean, whether padding is cut. It is not if the first two batches
            would have the same width: TensorFlow then takes it for the width of all.
    """

    def __init__(self, rows: Rows, batch_size: int) -> None:
        self.batch_size = batch_size
        self.full_width = rows.subset(slice(0, 1)).feature("items").shape[1]
        self._lengths = _row_lengths(rows)
        quintiles = np.quantile(
            self._lengths, np.arange(1, _NUM_WIDTHS + 1) / _NUM_WIDTHS, method="higher"
        )
        rounded = -(-quintiles // _MULTIPLE) * _MULTIPLE
        self._widths = np.unique(np.minimum(rounded, self.full_width))
        self.cuts = True

    def order(self, rows: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
        """Returns the rows in an order whose batches have rows of similar length.

        Args:
            rows: Array of row indices. If `rng` is given, they must be in random order.
            rng: Draws the order of the batches. `None` sorts all rows by length.
        """
        size = self.batch_size
        pool = len(rows) if rng is None else _POOL * size
        sorted_rows = [
            part[np.argsort(self._lengths[part], kind="stable")]
            for part in np.split(rows, range(pool, len(rows), pool))
        ]
        order = np.concatenate(sorted_rows)
        num_full = len(order) // size
        full, rest = np.split(order, [num_full * size])
        batches = full.reshape(num_full, size)
        if rng is not None:
            batches = rng.permutation(batches)
        return np.concatenate([_with_two_widths(batches, self.width).ravel(), rest])

    def width(self, rows: np.ndarray) -> int:
        """Returns the width that a batch of these rows is cut to."""
        longest = self._lengths[rows].max()
        return int(self._widths[np.searchsorted(self._widths, longest)])

    def cut(
        self, rows: np.ndarray, x: Inputs, y: np.ndarray
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Cuts the padding that all rows of a batch have in common.

        Args:
            rows: Indices of the rows of the batch.
            x: Their items, or dict of their features.
            y: Their targets.

        Returns:
            `(x, y)`. `x` is a dict with `"offset"`, `(rows,)`, the number of columns
            that were cut.
        """
        offset = self.full_width - self.width(rows) if self.cuts else 0
        features = x if isinstance(x, dict) else {"items": x}
        cut = {name: _without(values, offset) for name, values in features.items()}
        cut["offset"] = np.full(len(rows), offset, np.int32)
        return cut, _without(y, offset)


def _row_lengths(rows):
    """Returns the number of columns of each row from its first item on, at least 1."""
    lengths = []
    for part in rows.parts():  # rows may be larger than memory
        is_item = part.feature("items") != 0
        first = np.where(is_item.any(axis=1), is_item.argmax(axis=1), -1)
        lengths.append(np.where(first < 0, 1, is_item.shape[1] - first))
    return np.concatenate(lengths).astype(np.int32)


def _without(values, offset):
    return values if values.ndim == 1 else values[:, offset:]


def _with_two_widths(batches, width):
    """Returns the batches with one of another width than the first in second place."""
    widths = np.array([width(rows) for rows in batches])
    others = np.flatnonzero(widths != widths[0]) if len(widths) else []
    if len(others) and others[0] > 1:
        batches = batches.copy()
        batches[[1, others[0]]] = batches[[others[0], 1]]
    return batches
