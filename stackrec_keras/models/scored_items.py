from dataclasses import dataclass

import numpy as np
from keras import ops

from stackrec_keras.models.inference import output_weights
from stackrec_keras.types import Tensor

_LEAST_ROWS = 8


@dataclass(frozen=True, eq=False)
class ScoredItems:
    """The items that a model scores, or some of them.

    Args:
        ids: Integer array `(n,)` of indices in ascending order; 0 is padding. They
            are all from 0 on unless `among` made this.
        vectors: Tensor `(n, dim)`, their output embeddings.
        biases: Array `(n,)`.
    """

    ids: np.ndarray
    vectors: Tensor
    biases: np.ndarray

    @classmethod
    def of(cls, model):
        """Returns all items of a model, the padding among them."""
        vectors, biases = output_weights(model)
        ids = np.arange(model.num_targets + 1)
        return cls(ids, vectors, ops.convert_to_numpy(biases))

    def among(self, ids):
        """Returns only some of all items, and as much padding as makes their number a
        power of two: JAX compiles the product again for each number.

        Args:
            ids: Integer array of indices in ascending order.
        """
        size = 1 << (len(ids) - 1).bit_length()
        ids = np.pad(ids, (size - len(ids), 0))
        return ScoredItems(ids, ops.take(self.vectors, ids, axis=0), self.biases[ids])

    def scores(self, hidden, columns):
        """Returns the scores of a slice of the items.

        Args:
            hidden: Tensor `(rows, dim)`.
            columns: Slice.

        Returns:
            Float32 array with at least `rows` rows, which may be written to; padding
            has -inf.
        """
        if len(hidden) < _LEAST_ROWS:
            # Products of few rows can differ in the last bit for equal vectors.
            hidden = ops.tile(hidden, (_LEAST_ROWS, 1))
        start, size = columns.start, columns.stop - columns.start
        vectors = ops.slice(self.vectors, (start, 0), (size, self.vectors.shape[1]))
        products = ops.einsum("rd,id->ri", ops.cast(hidden, vectors.dtype), vectors)
        products = ops.convert_to_numpy(products)
        scores = np.add(products, self.biases[columns], dtype="float32")
        scores[:, self.ids[columns] == 0] = -np.inf
        return scores

    def places(self, rows, ids, columns):
        """Returns where in the scores of a slice (row, id) pairs are: two arrays, of
        the pairs whose item is in the slice."""
        own = self.ids[columns]
        column = np.minimum(np.searchsorted(own, ids), len(own) - 1)
        is_there = own[column] == ids
        return rows[is_there], column[is_there]
