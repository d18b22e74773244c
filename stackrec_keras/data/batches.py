"""Windows as batches for `fit` and `evaluate`, in an order that can be resumed."""

from functools import cached_property
from typing import TYPE_CHECKING

import keras
import numpy as np

from .arguments import check_integer, check_number, check_switch, counted, shown

if TYPE_CHECKING:
    from .transfer import TransferPairs
    from .windows import Windows


class Batches(keras.utils.PyDataset):
    """Batches `(x, y)` of windows.

    The order of the rows is a pure function of `(seed, epoch)`, so that a run that
    is resumed at epoch 7 sees the rows that the first run would have seen. The
    epoch is 0 at first, goes up by one at each epoch's end, and can be set with
    `set_epoch`.

    An epoch may hold a share of the rows alone (`StackingSchedule(...,
    data_shares=...)`): which ones is a pure function of `(seed, share)`, and those
    of a share are among those of any larger one.

    Keras' `fit` has a `shuffle=True` of its own that, on top of this, draws the
    order of whole batches from Python's global random state. Give `fit(...,
    shuffle=False)` for an order that depends on `(seed, epoch)` alone.

    Args:
        windows: `Windows`.
        batch_size: Rows a batch. The last batch holds the rows that are left; `fit`
            fills it up with padding, which has no target, since each shape of a step
            is compiled anew.
        seed: Integer from 0 up.
        shuffle: Whether to draw a new order of the rows each epoch. Evaluation
            batches are never shuffled.
        evaluation: If True, `y` is the one next item, `(batch,)`; else the next
            item at each position, `(batch, time)`, 0 where there is none.
        with_users: If True, `x` is `{"items": (batch, time), "users": (batch,)}`;
            else `(batch, time)`.
        share_by: Which rows a share holds: `"random"` ones, or by `"time"` those
            whose last item is the oldest.
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
        windows: "Windows | TransferPairs",
        batch_size: int = 256,
        seed: int = 0,
        shuffle: bool = True,
        evaluation: bool = False,
        with_users: bool = False,
        share_by: str = "random",
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if not hasattr(windows, "evaluation_arrays"):
            raise ValueError(
                f"windows is {shown(windows)}; it must be Windows, such as "
                "make_windows(log, vocabulary, length=20) or the train of a Split."
            )
        check_integer("batch_size", batch_size, 1)
        check_integer("seed", seed, 0)
        check_switch("shuffle", shuffle)
        check_switch("evaluation", evaluation)
        check_switch("with_users", with_users)
        if len(windows) == 0:
            raise ValueError("windows has no rows; give at least one.")
        if share_by not in ("random", "time"):
            raise ValueError(f"share_by={shown(share_by)} must be 'random' or 'time'.")
        if share_by == "time" and windows.end_time is None:
            raise ValueError(
                "share_by='time' needs the times of the rows, and these windows have "
                "end_time=None. Make them from a log, or take share_by='random'."
            )
        self.windows = windows
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle and not evaluation
        self.evaluation = evaluation
        self.with_users = with_users
        self.share_by = share_by
        self.set_epoch(0)

    @property
    def num_rows(self) -> int:
        """Rows of this epoch: those of its share, at least one."""
        return max(1, round(self._share * len(self.windows)))

    @property
    def num_batches(self) -> int:
        """Batches of this epoch, with the last partial one."""
        return -(-self.num_rows // self.batch_size)

    def __len__(self):
        return self.num_batches

    def __repr__(self):
        purpose = "evaluation" if self.evaluation else f"training, epoch {self.epoch}"
        rows = counted(self.num_rows, "row")
        users = ", with users" if self.with_users else ""
        return f"Batches({rows}, {self.batch_size} a batch{users}, for {purpose})"

    @property
    def epoch(self) -> int:
        """The epoch whose order the batches are in."""
        return self._epoch

    @property
    def share(self) -> float:
        """The share of the rows that the epoch goes over."""
        return self._share

    @property
    def epoch_windows(self) -> "Windows | TransferPairs":
        """The rows of this epoch: those of its share, in no order."""
        if self.num_rows == len(self.windows):
            return self.windows
        return self.windows.subset(self._ranked_rows[: self.num_rows])

    def set_epoch(self, epoch: int, share: float = 1.0) -> None:
        """Puts the rows in the order of `epoch`; call it before the epoch starts.

        Args:
            epoch: Integer from 0 up.
            share: The share of the rows to go over, above 0 and at most 1.
        """
        check_integer("epoch", epoch, 0)
        check_number("share", share)
        if not 0 < share <= 1:
            raise ValueError(f"share={share} must lie above 0 and be at most 1.")
        self._epoch = int(epoch)
        self._share = float(share)
        self._order = self._draw_order()

    def on_epoch_end(self) -> None:
        self.set_epoch(self._epoch + 1, self._share)

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
        """`(num_rows,)` row indices, or None for all rows as they are."""
        rows = None
        if self.num_rows < len(self.windows):
            rows = np.sort(self._ranked_rows[: self.num_rows])
        if not self.shuffle:
            return rows
        entropy = np.random.SeedSequence([self.seed, self._epoch])
        order = np.random.default_rng(entropy).permutation(self.num_rows)
        return order if rows is None else rows[order]

    @cached_property
    def _ranked_rows(self):
        """All row indices; a share is the first of them."""
        if self.share_by == "time":
            return np.argsort(self.windows.end_time, kind="stable")
        entropy = np.random.SeedSequence(self.seed, spawn_key=(0,))
        return np.random.default_rng(entropy).permutation(len(self.windows))
