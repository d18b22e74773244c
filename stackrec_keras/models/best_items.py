"""Finds the items with the highest scores, one bounded block of scores at a time."""

import numpy as np

BLOCK = 1 << 22
"""Integer, the most scores to hold in memory at a time (16 MiB)."""

_MIN_COLUMNS = 1024
_LOWEST = np.finfo("float32").min


def slices(size, step):
    """Cuts `size` elements into slices of at most `step`."""
    return [slice(i, min(i + step, size)) for i in range(0, size, step)]


def column_slices(num_rows, vectors, k):
    """Cuts the items into slices whose scores and vectors each fit into a block.

    Slices have at least 1,024 items, and at least `4 * k`.

    Args:
        num_rows: Integer, the number of rows that have a score for each item.
        vectors: Tensor `(num_items, dim)`.
        k: Integer, the number of best items to find.
    """
    num_columns, dim = vectors.shape
    step = max(BLOCK // max(num_rows, dim), _MIN_COLUMNS, 4 * k)
    return slices(num_columns, step)


class BestItems:
    """The `k` best items of each row among those added so far.

    Among equal scores, the one that was added first wins. Items with a score of -inf
    are ignored.

    Args:
        num_rows: Integer, the number of rows.
        k: Integer, the number of items to keep for each row.
    """

    def __init__(self, num_rows, k):
        self.k = k
        self.ids = np.zeros((num_rows, k), "int64")
        self.scores = np.full((num_rows, k), -np.inf, "float32")
        self._is_nan = np.zeros(num_rows, bool)

    def add(self, ids, scores):
        """Adds items.

        Args:
            ids: Integer array `(n,)`.
            scores: Float32 array `(num_rows, n)`.
        """
        self._is_nan |= np.isnan(scores.max(axis=1))
        bound = np.maximum(_bound(scores, self.k), _LOWEST)
        # Much faster than np.nonzero in two dimensions.
        row, column = np.divmod(np.flatnonzero(scores >= bound), scores.shape[1])
        self._merge(row, ids[column], scores[row, column])

    def result(self):
        """Returns ids and scores, two arrays `(num_rows, k)`, best first.

        A row with fewer than `k` items ends in ids of 0 and scores of -inf. If any
        score of a row is NaN, all scores of the row are NaN.
        """
        scores = np.where(self._is_nan[:, None], np.float32(np.nan), self.scores)
        return self.ids, scores

    def _merge(self, row, ids, scores):
        counts = np.bincount(row, minlength=len(self.ids))
        place = self.k + np.arange(len(row)) - (np.cumsum(counts) - counts)[row]
        more = ((0, 0), (0, counts.max()))
        all_ids = np.pad(self.ids, more)
        all_scores = np.pad(self.scores, more, constant_values=-np.inf)
        all_ids[row, place], all_scores[row, place] = ids, scores
        order = np.argsort(-all_scores, axis=1, kind="stable")[:, : self.k]
        self.ids = np.take_along_axis(all_ids, order, axis=1)
        self.scores = np.take_along_axis(all_scores, order, axis=1)


def check_no_nan(scores, of):
    """Raises a ValueError if scores are NaN.

    Args:
        scores: Array `(rows, k)` from `BestItems.result`.
        of: String, a plural noun for the rows, such as `"histories"`.
    """
    rows = np.flatnonzero(np.isnan(scores).any(axis=1))
    if len(rows):
        raise ValueError(
            f"The scores of {len(rows):,} of {len(scores):,} {of} are NaN, first in "
            f"row {rows[0]}. Some weights of the model are not finite, because its "
            "training diverged. Train again with a lower learning rate or with "
            "clipnorm, or load earlier weights."
        )


def _bound(scores, k):
    """Returns a threshold for each row, `(rows, 1)`. At least `k` scores of the row
    reach it, but not many more. It is the k-th highest of the maxima of groups of
    columns."""
    num_columns = scores.shape[1]
    if num_columns <= k:
        return -np.inf
    size = max(1, num_columns // (4 * k))
    maxima = np.maximum.reduceat(scores, np.arange(0, num_columns, size), axis=1)
    kth = maxima.shape[1] - k
    return np.partition(maxima, kth, axis=1)[:, kth : kth + 1]
