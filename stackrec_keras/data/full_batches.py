"""Batches of equal shape, because the backend compiles a step for each shape."""

import keras
import numpy as np

from stackrec_keras.rounding import round_up

from .batches import Batches


class FullBatches(keras.utils.PyDataset):
    """The batches of a `Batches`, with rows of padding added to the last one.

    Rows of padding have no target, so they do not change the loss. If there is only one
    batch, or the batches are for evaluation, only as many rows are added as `multiple`
    needs. With `group_by_length`, training batches in parts are full already, and each
    part gets only as many rows as `multiple` needs.

    Args:
        batches: `Batches`.
        multiple: Integer. The number of rows of each batch becomes a multiple of it, so
            that several devices can share the batch equally. Defaults to `1`.
    """

    def __init__(self, batches: Batches, multiple: int = 1) -> None:
        super().__init__(
            workers=batches.workers,
            use_multiprocessing=batches.use_multiprocessing,
            max_queue_size=batches.max_queue_size,
        )
        self.batches = batches
        self.multiple = multiple

    @property
    def num_batches(self) -> int:
        """The number of batches, as in `batches`."""
        return self.batches.num_batches

    def on_epoch_begin(self) -> None:
        self.batches.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.batches.on_epoch_end()

    def __getitem__(self, index):
        x, y = self.batches[index]
        keeps_size = self.num_batches == 1 or self.batches.evaluation
        keeps_size = keeps_size or isinstance(x, tuple)
        return keras.tree.map_structure(
            lambda rows: self._full(rows, keeps_size), (x, y)
        )

    def _full(self, rows, keeps_size):
        size = len(rows) if keeps_size else self.batches.batch_size
        missing = round_up(size, self.multiple) - len(rows)
        return np.pad(rows, [(0, missing), *[(0, 0)] * (rows.ndim - 1)])
