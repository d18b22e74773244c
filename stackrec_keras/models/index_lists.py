from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class IndexLists:
    """One list of item indices per row, of any lengths, in one array.

    Memory grows with the number of indices, not with the longest list.

    Args:
        indices: Integer array `(total,)`, the lists one after the other.
        ends: Integer array `(rows,)`, where each list ends in `indices`.
    """

    indices: np.ndarray
    ends: np.ndarray

    @classmethod
    def from_pairs(cls, rows, indices, num_rows):
        """Returns the lists of (row, index) pairs whose rows are in order."""
        return cls(indices, np.cumsum(np.bincount(rows, minlength=num_rows)))

    def __len__(self):
        return len(self.ends)

    @property
    def lengths(self):
        """Integer array `(rows,)`, the length of each list."""
        return np.diff(self.ends, prepend=0)

    def pairs(self, rows):
        """Returns the (row, index) pairs of a slice of rows as two arrays; the first
        row of the slice is row 0."""
        lengths = self.lengths[rows]
        end = self.ends[rows][-1]
        indices = self.indices[end - lengths.sum() : end]
        return np.repeat(np.arange(len(lengths)), lengths), indices

    def last(self, rows, length):
        """Returns the last `length` indices of each row of a slice, as an int32 array
        `(rows, length)` with zeros on the left."""
        row, indices = self.pairs(rows)
        lengths = self.lengths[rows]
        from_end = np.cumsum(lengths)[row] - np.arange(len(row))
        is_read = from_end <= length
        padded = np.zeros((len(lengths), length), "int32")
        padded[row[is_read], length - from_end[is_read]] = indices[is_read]
        return padded
