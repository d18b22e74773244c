from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class RowLists:
    """A list of values, of any length, for each row. One array holds all lists.

    Memory grows with the number of values, not with the longest list.

    Args:
        values: Array `(total,)`, the lists one after the other.
        ends: Integer array `(rows,)`, the index in `values` after the end of each list.
    """

    values: np.ndarray
    ends: np.ndarray

    @classmethod
    def from_pairs(cls, rows, values, num_rows):
        """Makes lists from (row, value) pairs that are sorted by row."""
        return cls(values, np.cumsum(np.bincount(rows, minlength=num_rows)))

    def __len__(self):
        return len(self.ends)

    @property
    def lengths(self):
        """Integer array `(rows,)`, the length of each list."""
        return np.diff(self.ends, prepend=0)

    def with_values(self, values):
        """Returns lists of the same lengths with other values."""
        return replace(self, values=values)

    def pairs(self, rows):
        """Returns the (row, value) pairs of a slice of rows as two arrays; the first
        row of the slice is row 0."""
        lengths = self.lengths[rows]
        end = self.ends[rows][-1]
        values = self.values[end - lengths.sum() : end]
        return np.repeat(np.arange(len(lengths)), lengths), values

    def last(self, rows, length):
        """Returns the last `length` values of each row of a slice, as an array
        `(rows, length)` with zeros on the left."""
        row, values = self.pairs(rows)
        lengths = self.lengths[rows]
        from_end = np.cumsum(lengths)[row] - np.arange(len(row))
        is_read = from_end <= length
        padded = np.zeros((len(lengths), length), self.values.dtype)
        padded[row[is_read], length - from_end[is_read]] = values[is_read]
        return padded
