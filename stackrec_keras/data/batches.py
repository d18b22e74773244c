"""Windows as batches for `fit` and `evaluate`, in an order that can be resumed."""

from typing import TYPE_CHECKING

import keras
import numpy as np

if TYPE_CHECKING:
    from .windows import Windows


class Batches(keras.utils.PyDataset):
    """Batches `(x, y)` of windows.

    The order of the rows is a pure function of `(seed, epoch)`, so that a run that
    is resumed at epoch 7 sees the rows that the first run would have seen. The
    epoch is 0 at first, goes up by one at each epoch's end, and can be set with
    `set_epoch`.

    Keras' `fit` has a `shuffle=True` of its own that, on top of this, draws the
    order of whole batches from Python's global random state. Give `fit(...,
    shuffle=False)` for an order that depends on `(seed, epoch)` alone.

    Args:
        windows: `Windows`.
        batch_size: Rows a batch. The last batch holds the rows that are left.
        seed: Integer from 0 up.
        shuffle: Whether to draw a new order of the rows each epoch. Evaluation
            batches are never shuffled.
        evaluation: If True, `y` is the one next item, `(batch,)`; else the next
            item at each position, `(batch, time)`, 0 where there is none.
        with_users: If True, `x` is `{"items": (batch, time), "users": (batch,)}`;
            else `(batch, time)`.
        **kwargs: `workers`, `use_multiprocessing` and `max_queue_size` of
            `keras.utils.PyDataset`.

    Example:

    ```python
    model.fit(split.train.batches(256), shuffle=False, epochs=10)
    model.evaluate(split.test.batches(1024, evaluation=True))
    ```
    """

    def __init__(
        self,
        windows: "Windows",
        batch_size: int = 256,
        seed: int = 0,
        shuffle: bool = True,
        evaluation: bool = False,
        with_users: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size} must be at least 1.")
        if seed < 0:
            raise ValueError(f"seed={seed} must be 0 or more.")
        if len(windows) == 0:
            raise ValueError("windows has no rows; give at least one.")
        self.windows = windows
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle and not evaluation
        self.evaluation = evaluation
        self.with_users = with_users
        self.set_epoch(0)

    @property
    def num_batches(self) -> int:
        """Batches an epoch, with the last partial one."""
        return -(-len(self.windows) // self.batch_size)

    def __len__(self):
        return self.num_batches

    @property
    def epoch(self) -> int:
        """The epoch whose order the batches are in."""
        return self._epoch

    def set_epoch(self, epoch: int) -> None:
        """Puts the rows in the order of `epoch`; call it before the epoch starts."""
        self._epoch = int(epoch)
        self._order = self._draw_order()

    def on_epoch_end(self):
        self.set_epoch(self._epoch + 1)

    def __getitem__(self, index):
        if not 0 <= index < self.num_batches:
            raise IndexError(f"index={index} must be 0 to {self.num_batches - 1}.")
        chosen = slice(index * self.batch_size, (index + 1) * self.batch_size)
        rows = chosen if self._order is None else self._order[chosen]
        part = self.windows.subset(rows)
        x, y = part.evaluation_arrays() if self.evaluation else part.arrays()
        if self.with_users:
            x = {"items": x, "users": part.users}
        return x, y

    def _draw_order(self):
        if not self.shuffle:
            return None
        entropy = np.random.SeedSequence([self.seed, self._epoch])
        return np.random.default_rng(entropy).permutation(len(self.windows))
