"""Training batches that come in parts of different width, with little padding."""

from collections.abc import Callable, Iterable

import numpy as np

from .padding import cut, padding_of, widths_of
from .rows import Rows

_NUM_STRATA = 6  # 8 are no faster, and take longer to compile


class LengthParts:
    """Batches that are random mixtures of all lengths, in parts of different width.

    The rows of an epoch are sorted by length and divided into strata. Each batch has
    the same number of rows of each stratum, chosen at random, and a part for each
    width, the widest first. So all batches have the same shapes.

    Args:
        rows: `Rows`.
        batch_size: Integer.
    """

    def __init__(self, rows: Rows, batch_size: int) -> None:
        self.full_width = rows.subset(slice(0, 1)).feature("items").shape[1]
        self._padding = padding_of(rows)
        size = min(batch_size, len(self._padding))
        number = min(_NUM_STRATA, size)
        self._ends = size * np.arange(number + 1) // number
        self._widths = np.full(number, self.full_width)

    def set_widths(self, epochs: Iterable[np.ndarray]) -> None:
        """Makes the parts wide enough for each of several epochs.

        Args:
            epochs: Iterable of arrays, the row indices of each epoch.
        """
        most = self.full_width - 1  # a stratum may be empty
        least = [
            [self._padding[rows].min(initial=most) for rows in self.order(epoch)]
            for epoch in epochs
        ]
        # A part is at least as wide as those after it.
        padding = np.minimum.accumulate(np.min(least, axis=0)[::-1])[::-1]
        self._widths = widths_of(padding, self.full_width)

    def order(self, rows: np.ndarray) -> list[np.ndarray]:
        """Returns the row indices of each stratum, the longest rows first.

        Args:
            rows: Array of row indices, in the order in which each stratum keeps them.
        """
        by_length = np.argsort(self._padding[rows], kind="stable")
        # Rounded like this, no stratum has more rows than its slots in all batches.
        bounds = len(rows) * self._ends[1:-1] // self._ends[-1]
        stratum = np.empty(len(rows), "uint8")
        for number, places in enumerate(np.split(by_length, bounds)):
            stratum[places] = number
        return [rows[stratum == number] for number in range(len(self._widths))]

    def batch(self, order: list[np.ndarray], index: int, arrays_of: Callable) -> tuple:
        """Returns a batch `(x, y)`. If there is more than one part, `x` and `y` are
        tuples, and rows of padding fill up the parts of the last batch.

        Args:
            order: What `order` returned.
            index: Integer, the number of the batch.
            arrays_of: Function that returns the arrays of row indices, `(x, y)`.
        """
        sizes = np.diff(self._ends)
        drawn = [
            rows[index * size : (index + 1) * size]
            for rows, size in zip(order, sizes, strict=True)
        ]
        firsts = np.flatnonzero(np.diff(self._widths, prepend=0))
        parts, full_sizes = [], []
        for strata in np.split(np.arange(len(sizes)), firsts[1:]):
            x, y = arrays_of(np.concatenate([drawn[number] for number in strata]))
            parts.append(cut(x, y, self.full_width, int(self._widths[strata[0]])))
            full_sizes.append(sizes[strata].sum())
        if len(parts) == 1:
            return parts[0]
        x, y = zip(*map(_filled, parts, full_sizes), strict=True)
        return x, y


def _filled(part, size):
    x, y = part
    filled = {name: _with_rows(values, size) for name, values in x.items()}
    return filled, _with_rows(y, size)


def _with_rows(values, size):
    return np.pad(values, [(0, size - len(values)), *[(0, 0)] * (values.ndim - 1)])
