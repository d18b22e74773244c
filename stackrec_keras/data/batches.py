"""Batches of rows for `fit` and `evaluate`, in an order that can be repeated."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import keras
import numpy as np

from stackrec_keras.arguments import (
    check_bools,
    check_choice,
    check_integer,
    check_number,
)
from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import counted

from .length_groups import LengthGroups
from .length_parts import LengthParts
from .rows import ITEMS, Rows, check_features


class Batches(keras.utils.PyDataset):
    """Batches `(x, y)` of windows or transfer pairs.

    The order of the rows is a pure function of `(seed, epoch)`. A run resumed at epoch
    7 therefore sees the same rows as an uninterrupted run. The epoch starts at 0,
    increases by one at the end of each epoch, and can be set with `set_epoch`.

    An epoch may hold only a fraction of the rows (`StackingSchedule(...,
    data_shares=...)`). Which rows it holds depends only on `(seed, share)`, and a
    larger fraction holds the rows of every smaller one.

    The models of this package keep this order. The `fit` of other Keras models also
    shuffles whole batches, with Python's global random state, unless it gets
    `shuffle=False`.

    Args:
        windows: `Windows` or `TransferPairs`.
        batch_size: Integer, the number of rows per batch. The last batch may be
            smaller. `fit` then fills it up with rows of padding, which have no targets:
            the backend would compile a second step for a smaller batch. Defaults to
            `256`.
        seed: Integer of at least 0. Defaults to `0`.
        shuffle: Boolean, whether to draw a new order of the rows for each epoch.
            Evaluation batches are never shuffled. Defaults to `True`.
        evaluation: Boolean. If `True`, `y` is the single next item, `(batch,)`.
            Otherwise, `y` is the next item at each position, `(batch, time)`, or 0
            where there is no target. Defaults to `False`.
        with_users: Boolean, short for `features=["items", "users"]`. Defaults to
            `False`.
        share_by: String, how to choose a fraction of the rows: `"random"`, or `"time"`
            for the rows whose last items are oldest. Defaults to `"random"`.
        features: List of feature names; `x` is then a dict of these features. The
            windows' `feature_names` lists all names. Defaults to `None`: `x` is the
            array of items, `(batch, time)`.
        group_by_length: Boolean, whether to put rows of similar length together, and
            cut off the padding that they have in common. This saves time if many rows
            are short. The model must mask padding, as `HSTU`, `ESASRec` and
            `SASRec(padding_mask=True)` do. A training batch still has rows of all
            lengths, but `x` and `y` are tuples of parts of different width, the widest
            part first. Each `x` is a dict that also has `"offset"`, `(rows,)`, the
            number of columns that were cut off. Evaluation batches have one width each.
            They are not in the order of the rows, so they do not suit `predict`.
            Defaults to `False`.
        **kwargs: `workers`, `use_multiprocessing` and `max_queue_size` of
            `keras.utils.PyDataset`.

    Attributes:
        features: Tuple of the names of the features in `x`.

    Example:

    ```python
    model.fit(split.train.batches(256), shuffle=False, epochs=10)
    model.evaluate(split.test.batches(1024, evaluation=True))
    ```
    """

    def __init__(
        self,
        windows: Rows,
        batch_size: int = 256,
        seed: int = 0,
        shuffle: bool = True,
        evaluation: bool = False,
        with_users: bool = False,
        share_by: str = "random",
        features: Sequence[str] | None = None,
        group_by_length: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(windows, Rows):
            raise ArgumentError(
                "windows",
                "must be Windows",
                "Make them with make_windows(log, vocabulary, length=20), or use the "
                "`train` of a Split.",
                windows,
            )
        check_integer("batch_size", batch_size, 1)
        check_integer("seed", seed, 0)
        check_bools(shuffle=shuffle, evaluation=evaluation, with_users=with_users)
        check_bools(group_by_length=group_by_length)
        if len(windows) == 0:
            raise ArgumentError("windows", "must have at least one row")
        check_choice("share_by", share_by, ["random", "time"])
        if share_by == "time" and windows.end_time is None:
            raise ArgumentError(
                "share_by",
                "needs the times of the rows, but these windows have end_time=None",
                "Make them from a log, or use share_by='random'.",
                share_by,
            )
        self.windows = windows
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle and not evaluation
        self.evaluation = evaluation
        self.features = check_features(features, windows, with_users)
        self.share_by = share_by
        self.group_by_length = group_by_length
        self.expect_shares([])
        self.set_epoch(0)

    @property
    def with_users(self) -> bool:
        """Whether `x` contains the users."""
        return "users" in self.features

    @property
    def num_rows(self) -> int:
        """The number of rows in this epoch, at least one."""
        return self._number_of(self._share)

    @property
    def num_batches(self) -> int:
        """The number of batches in this epoch, including the last partial one."""
        return -(-self.num_rows // self.batch_size)

    @property
    def full_width(self) -> int:
        """The number of columns of the items, before any padding is cut off."""
        return self.windows.subset(slice(0, 1)).feature("items").shape[1]

    def __len__(self):
        return self.num_batches

    def __repr__(self):
        purpose = "evaluation" if self.evaluation else f"training, epoch {self.epoch}"
        rows = counted(self.num_rows, "row")
        others = ", ".join(name for name in self.features if name not in ITEMS)
        beside = f", with {others}" if others else ""
        return f"Batches({rows}, {self.batch_size} per batch{beside}, for {purpose})"

    @property
    def epoch(self) -> int:
        """The epoch that determines the order of the batches."""
        return self._epoch

    @property
    def share(self) -> float:
        """The fraction of the rows in this epoch."""
        return self._share

    @property
    def epoch_windows(self) -> Rows:
        """The rows of this epoch, in no particular order."""
        if self.num_rows == len(self.windows):
            return self.windows
        return self.windows.subset(self._ranked_rows[: self.num_rows])

    def epoch_parts(self) -> Iterator[Rows]:
        """Returns `epoch_windows` in parts that need little memory."""
        if self.num_rows == len(self.windows):
            return self.windows.parts()
        return self.windows.parts(np.sort(self._ranked_rows[: self.num_rows]))

    def expect_shares(self, shares: Iterable[float]) -> None:
        """Says which fractions of the rows the next epochs go over. With
        `group_by_length`, batches have the same shapes in all of these epochs.

        Args:
            shares: Iterable of floats, as in `set_epoch`.
        """
        self._expected = {1.0, *map(float, shares)}
        if self.group_by_length and not self.evaluation:
            self._groups.set_widths(map(self._rows_of, self._expected))

    def set_epoch(self, epoch: int, share: float = 1.0) -> None:
        """Puts the rows in the order of `epoch`; call it before the epoch starts.

        Args:
            epoch: Integer of at least 0.
            share: Float, the fraction of the rows to go over, above 0 and at most 1.
                Defaults to `1.0`.
        """
        check_integer("epoch", epoch, 0)
        check_number("share", share)
        if not 0 < share <= 1:
            raise ArgumentError(
                "share", "must be above 0 and at most 1", received=share
            )
        if share not in self._expected:
            self.expect_shares([share])
        self._epoch = int(epoch)
        self._share = float(share)
        self._order = self._draw_order()

    def on_epoch_end(self) -> None:
        self.set_epoch(self._epoch + 1, self._share)

    def __getitem__(self, index):
        if not 0 <= index < self.num_batches:
            raise IndexError(f"index={index} must be 0 to {self.num_batches - 1}.")
        if self.group_by_length:
            return self._groups.batch(self._order, index, self._arrays)
        chosen = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self._arrays(chosen if self._order is None else self._order[chosen])

    def _arrays(self, rows):
        part = self.windows.subset(rows)
        to_arrays = part.evaluation_arrays if self.evaluation else part.arrays
        return to_arrays(self.features)

    def _draw_order(self):
        """Returns `(num_rows,)` row indices, or `None` for all rows in stored order.
        With `group_by_length`, what the `order` of the groups returns."""
        rows = None
        if self.num_rows < len(self.windows):
            rows = self._rows_of(self._share)
        if self.shuffle:
            entropy = np.random.SeedSequence([self.seed, self._epoch])
            order = np.random.default_rng(entropy).permutation(self.num_rows)
            rows = order if rows is None else rows[order]
        if self.group_by_length:
            rows = np.arange(self.num_rows) if rows is None else rows
            return self._groups.order(rows)
        return rows

    def _rows_of(self, share):
        """Returns the sorted indices of a fraction of the rows."""
        if (number := self._number_of(share)) == len(self.windows):
            return np.arange(number)
        return np.sort(self._ranked_rows[:number])

    def _number_of(self, share):
        return max(1, round(share * len(self.windows)))

    @cached_property
    def _groups(self):
        kind = LengthGroups if self.evaluation else LengthParts
        return kind(self.windows, self.batch_size)

    @cached_property
    def _ranked_rows(self):
        """Returns all row indices, in the order in which larger fractions add them."""
        if self.share_by == "time":
            return np.argsort(self.windows.end_time, kind="stable")
        entropy = np.random.SeedSequence(self.seed, spawn_key=(0,))
        return np.random.default_rng(entropy).permutation(len(self.windows))
