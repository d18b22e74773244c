"""Batches of equal shape, because the backend compiles a step for each shape."""

import keras
import numpy as np

from .batches import Batches


class FullBatches(keras.utils.PyDataset):
    """The batches of a `Batches`, with rows of padding added to the last one.

    Rows of padding have no target, so they do not change the loss. If there is only one
    batch, no rows are added.

    Args:
        batches: `Batches` for training.
    """

    def __init__(self, batches: Batches) -> None:
        super().__init__(
            workers=batches.workers,
            use_multiprocessing=batches.use_multiprocessing,
            max_queue_size=batches.max_queue_size,
        )
        self.batches = batches

    @property
    def num_batches(self) -> int:
        """The number of batches, as in `batches`."""
        return self.batches.num_batches

    def on_epoch_begin(self) -> None:
        self.batches.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.batches.on_epoch_end()

    def __getitem__(self, index):
        if self.num_batches == 1:
            return self.batches[index]
        return keras.tree.map_structure(self._full, self.batches[index])

    def _full(self, rows):
        missing = self.batches.batch_size - len(rows)
        return np.pad(rows, [(0, missing), *[(0, 0)] * (rows.ndim - 1)])
