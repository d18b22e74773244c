"""Evaluation batches of rows of similar length, without their common padding."""

from collections.abc import Callable

import numpy as np

from .padding import cut, padding_of, widths_of
from .rows import Rows

_NUM_WIDTHS = 5  # the backend compiles a step for each width


class LengthGroups:
    """Batches of rows of similar length.

    A batch is cut to one of at most five widths. Each is as wide as the rows at a
    quintile of the lengths.

    Args:
        rows: `Rows`.
        batch_size: Integer.
    """

    def __init__(self, rows: Rows, batch_size: int) -> None:
        self.batch_size = batch_size
        self.full_width = rows.subset(slice(0, 1)).feature("items").shape[1]
        self._padding = padding_of(rows)
        quintiles = np.quantile(
            self._padding, np.arange(_NUM_WIDTHS) / _NUM_WIDTHS, method="lower"
        )
        self._widths = np.unique(widths_of(quintiles, self.full_width))

    def order(self, rows: np.ndarray) -> np.ndarray:
        """Returns row indices in an order whose batches have rows of similar length."""
        size = self.batch_size
        order = rows[np.argsort(-self._padding[rows].astype(int), kind="stable")]
        num_full = len(order) // size
        full, rest = np.split(order, [num_full * size])
        batches = _with_two_widths(full.reshape(num_full, size), self._width)
        return np.concatenate([batches.ravel(), rest])

    def batch(self, order: np.ndarray, index: int, arrays_of: Callable) -> tuple:
        """Returns a batch `(x, y)`.

        Args:
            order: What `order` returned.
            index: Integer, the number of the batch.
            arrays_of: Function that returns the arrays of row indices, `(x, y)`.
        """
        rows = self._rows(order, index)
        width = self._width(rows) if self._cuts(order) else self.full_width
        x, y = arrays_of(rows)
        return cut(x, y, self.full_width, width)

    def _cuts(self, order):
        """Returns whether the first two batches have different widths. TensorFlow would
        otherwise take their width for the width of all."""
        first, second = self._rows(order, 0), self._rows(order, 1)
        return len(second) > 0 and self._width(first) != self._width(second)

    def _rows(self, order, index):
        return order[index * self.batch_size : (index + 1) * self.batch_size]

    def _width(self, rows):
        longest = widths_of(self._padding[rows].min(), self.full_width)
        return int(self._widths[np.searchsorted(self._widths, longest)])


def _with_two_widths(batches, width):
    """Returns the batches with one of another width than the first in second place."""
    widths = np.array([width(rows) for rows in batches])
    others = np.flatnonzero(widths != widths[0]) if len(widths) else []
    if len(others) and others[0] > 1:
        batches = batches.copy()
        batches[[1, others[0]]] = batches[[others[0], 1]]
    return batches
