from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from keras import ops

from stackrec_keras.models.inference import output_weights
from stackrec_keras.types import Tensor

LEAST_ROWS = 8
"""Integer, the smallest number of hidden states that are scored at a time."""


@dataclass(frozen=True, eq=False)
class ScoredItems:
    """The items that a model scores, or some of them.

    Args:
        ids: Integer array `(n,)` of indices in ascending order, where 0 is padding.
        vectors: Tensor `(n, dim)`, the vectors of the items.
        biases: Array `(n,)`, the biases of the items.
        states: Function from hidden states to the states that score items: see
            `OutputTable.operands`.
    """

    ids: np.ndarray
    vectors: Tensor
    biases: np.ndarray
    states: Callable[[Tensor], Tensor]

    @classmethod
    def of(cls, model):
        """Returns all items of a model, including the padding."""
        vectors, biases = output_weights(model)
        ids = np.arange(model.num_targets + 1)
        biases = ops.convert_to_numpy(biases)
        return cls(ids, vectors, biases, model.output_table.states)

    def among(self, ids):
        """Selects some of the items.

        Pads their number to a power of two, because JAX compiles the product again for
        each new size.

        Args:
            ids: Integer array of indices in ascending order.
        """
        size = 1 << (len(ids) - 1).bit_length()
        ids = np.pad(ids, (size - len(ids), 0))
        vectors = ops.take(self.vectors, ids, axis=0)
        return replace(self, ids=ids, vectors=vectors, biases=self.biases[ids])

    def scores(self, hidden, columns):
        """Scores a slice of the items.

        Args:
            hidden: Tensor `(rows, dim)`.
            columns: Slice of the items.

        Returns:
            Writable float32 array with at least `rows` rows. The score of padding is
            -inf.
        """
        if len(hidden) < LEAST_ROWS:
            # In a product of few rows, the scores of equal vectors can differ in the
            # last bit.
            hidden = ops.tile(hidden, (LEAST_ROWS, 1))
        start, size = columns.start, columns.stop - columns.start
        vectors = ops.slice(self.vectors, (start, 0), (size, self.vectors.shape[1]))
        states = self.states(ops.cast(hidden, vectors.dtype))
        products = ops.einsum("rd,id->ri", states, vectors)
        products = ops.convert_to_numpy(products)
        scores = np.add(products, self.biases[columns], dtype="float32")
        scores[:, self.ids[columns] == 0] = -np.inf
        return scores

    def places(self, rows, ids, columns):
        """Finds (row, id) pairs in the scores of a slice.

        Returns:
            Two arrays, the rows and the columns of the pairs whose id is in the slice.
        """
        ids_there = self.ids[columns]
        column = np.minimum(np.searchsorted(ids_there, ids), len(ids_there) - 1)
        is_there = ids_there[column] == ids
        return rows[is_there], column[is_there]
