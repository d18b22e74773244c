"""Fixed-length windows of users' histories: the rows that models train on."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from .arguments import check_indices, check_integer, check_switch, counted, shown
from .batches import Batches
from .histories import gather_rows, make_histories
from .times import Time, as_time
from .vocabulary import Vocabulary, check_vocabulary, way_to_known


@dataclass(frozen=True, eq=False)
class Windows:
    """Rows of consecutive items, one user a row, padded with 0 on the left.

    Args:
        items: `(rows, length)` int32 indices, 0 is padding.
        users: `(rows,)` int32 user index from 0; -1 is a user that the training
            data does not have (only `split_by_time` makes such rows).
        end_time: `(rows,)` time of each row's last item, or None where unknown.
        vocabulary: The `Vocabulary` that the indices belong to, or None.
        user_ids: `(users,)` raw id of each user index, or None.
        overlapping: Whether rows of one user may hold the same event, as those of
            `make_windows(..., stride=1)` do. `split_random` then splits users.

    Example:

    ```python
    windows = make_windows(log, vocabulary, length=20)
    x, y = windows.arrays()
    model.fit(x, y)
    ```
    """

    items: np.ndarray
    users: np.ndarray
    end_time: np.ndarray | None = None
    vocabulary: Vocabulary | None = None
    user_ids: np.ndarray | None = None
    overlapping: bool = False

    def __post_init__(self):
        check_indices("items", self.items, ndim=2)
        check_indices("users", self.users, ndim=1)
        if self.vocabulary is not None:
            check_vocabulary("vocabulary", self.vocabulary)
        check_switch("overlapping", self.overlapping)
        if self.users.shape != (len(self.items),):
            raise ValueError(
                f"users has shape {self.users.shape}; it must be ({len(self.items)},), "
                "one index for each row of items."
            )

    def __len__(self):
        return len(self.items)

    def __repr__(self):
        rows, items = counted(len(self), "row"), counted(self.length, "item")
        return f"Windows({rows} of {items})"

    @property
    def length(self) -> int:
        """Columns of `items`."""
        return self.items.shape[1]

    @property
    def num_items(self) -> int:
        """Size of the catalogue: item indices are 1 to `num_items`."""
        if self.vocabulary is not None:
            return len(self.vocabulary)
        return int(self.items.max(initial=0))

    @property
    def num_users(self) -> int:
        """Number of users: user indices are 0 to `num_users - 1`."""
        if self.user_ids is not None:
            return len(self.user_ids)
        return int(self.users.max(initial=-1)) + 1

    @property
    def inputs(self) -> np.ndarray:
        """`(rows, length - 1)`: all items but the last."""
        return self.items[:, :-1]

    @property
    def next_items(self) -> np.ndarray:
        """`(rows, length - 1)`: the item after each input, 0 where that is padding."""
        return np.where(self.inputs > 0, self.items[:, 1:], 0)

    @property
    def last_item(self) -> np.ndarray:
        """`(rows,)`: the newest item."""
        return self.items[:, -1]

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """`x, y` to train on, both `(rows, length - 1)`."""
        return self.inputs, self.next_items

    def evaluation_arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """`x` `(rows, length - 1)` and the one next item `y` `(rows,)`."""
        return self.inputs, self.last_item

    def item_ids(self) -> tuple[np.ndarray, np.ndarray]:
        """All input items and all targets, without a copy of them."""
        return self.inputs, self.items[:, 1:]

    def subset(self, rows: slice | np.ndarray) -> "Windows":
        """The windows at `rows`: indices, a slice or a boolean mask."""
        end_time = None if self.end_time is None else self.end_time[rows]
        return replace(
            self, items=self.items[rows], users=self.users[rows], end_time=end_time
        )

    def share_before(self, time: Time) -> float:
        """The share of the rows that end before a time: what a schedule's
        `data_shares` takes for `batches(share_by="time")`."""
        if self.end_time is None:
            raise ValueError(
                "These windows have end_time=None, so none is before another. Make "
                "them from a log."
            )
        return float(np.mean(self.end_time < as_time("time", time, self.end_time)))

    def batches(
        self,
        batch_size: int = 256,
        seed: int = 0,
        shuffle: bool = True,
        evaluation: bool = False,
        with_users: bool = False,
        share_by: str = "random",
    ) -> Batches:
        """These windows as batches `(x, y)` for `fit` and `evaluate`.

        Args:
            batch_size: Rows a batch.
            seed: Integer from 0 up, of the order.
            shuffle: Whether to draw a new order each epoch.
            evaluation: True for `evaluate` and `validation_data`: `y` is the one next
                item, and the rows keep their order.
            with_users: True for `SSEPT`: `x` has the users beside the items.
            share_by: Which rows a share of `StackingSchedule(..., data_shares=...)`
                holds: `"random"` ones, or by `"time"` the oldest.

        Returns:
            `Batches`.
        """
        return Batches(
            self,
            batch_size,
            seed=seed,
            shuffle=shuffle,
            evaluation=evaluation,
            with_users=with_users,
            share_by=share_by,
        )


def make_windows(
    log: pd.DataFrame,
    vocabulary: Vocabulary,
    length: int,
    stride: int | None = None,
    min_items: int = 2,
) -> Windows:
    """Cuts each user's history into windows, from its newest end backward.

    A user's newest window ends at the last event; the window before it ends
    `stride` events earlier, and so on until the whole history is covered. The
    oldest window may be shorter than `length` and is then padded on the left.
    Rows come by user, oldest window first. Events whose item is not in the
    vocabulary are left out before cutting.

    Args:
        log: A sorted log, as `read_interactions` returns it.
        vocabulary: The `Vocabulary` of the items.
        length: Items a window, at least 2.
        stride: Events from one window's end to the next one's, 1 to `length`; by
            default `length`, which makes windows disjoint. `split_random` splits
            windows that overlap by user.
        min_items: Windows with fewer items are dropped.

    Returns:
        `Windows`.

    Raises:
        ValueError: `length`, `stride` or `min_items` is out of range, or the log
            is none or not sorted.

    Example:

    ```python
    log = load("ml-1m")
    vocabulary = Vocabulary.from_items(log["item"])
    windows = make_windows(log, vocabulary, length=20)
    ```
    """
    check_window_sizes(length, stride, min_items)
    check_vocabulary("vocabulary", vocabulary)
    histories = make_histories(log, vocabulary)
    _warn_of_unknown(log, vocabulary, len(log) - len(histories.items))
    return cut_windows(
        histories, [histories.ends], vocabulary, length, stride, min_items
    )


def _warn_of_unknown(log, vocabulary, left_out):
    if left_out:
        warnings.warn(
            "Events left out, as vocabulary does not have their items: "
            f"{left_out:,} of {len(log):,}. "
            f"{way_to_known(vocabulary, log['item'], left_out)}",
            stacklevel=3,
        )


def check_windows(name, value):
    """Raises a ValueError if an argument is no `Windows`."""
    if not isinstance(value, Windows):
        raise ValueError(
            f"{name} is {shown(value)}; it must be Windows, such as "
            "make_windows(log, vocabulary, length=20), or the first of the two that "
            "`read_sequences` returns."
        )


def check_window_sizes(length, stride=None, min_items=2):
    """Raises ValueError where windows of these sizes cannot be made."""
    check_integer("length", length, 2, ": a window holds inputs and a target")
    if stride is not None:
        check_integer("stride", stride, 1, f" and at most length={length}")
    check_integer("min_items", min_items, 1)
    if stride is not None and stride > length:
        raise ValueError(
            f"stride={stride} must be 1 to length={length}; a larger one skips "
            "events. Leave it out for disjoint windows."
        )
    if min_items > length:
        raise ValueError(f"min_items={min_items} must be 1 to length={length}.")


def cut_windows(histories, stages, vocabulary, length, stride=None, min_items=2):
    """Windows that end at each user's newest event of each stage, and cover it.

    Args:
        histories: `Histories`.
        stages: List of `(users,)` arrays, one past each user's last event of each
            stage. A stage holds what came after the one before it; its windows may
            reach back.
        vocabulary: The `Vocabulary` of the items.
        length: As in `make_windows`.
        stride: As in `make_windows`.
        min_items: As in `make_windows`.

    Returns:
        `Windows`, stage by stage.
    """
    begins = [histories.starts[:-1], *stages]
    rows = [
        _rows_of_stage(histories, begin, end, length, stride or length, min_items)
        for begin, end in zip(begins, stages)
    ]
    users, ends = (np.concatenate(parts) for parts in zip(*rows))
    return windows_at(histories, users, ends, vocabulary, length)


def _rows_of_stage(histories, begins, ends, length, stride, min_items):
    """User and end of each row of a stage, both `(rows,)`."""
    sizes = ends - begins
    counts = np.where(sizes > 0, 1 - (length - np.maximum(sizes, length)) // stride, 0)
    users = np.repeat(np.arange(len(sizes), dtype=np.int32), counts)
    # Windows still to come for the user, newer ones: 0 at the newest.
    newer = np.cumsum(counts)[users] - 1 - np.arange(len(users))
    row_ends = ends[users] - newer * stride
    kept = np.minimum(row_ends - histories.starts[users], length) >= min_items
    return users[kept], row_ends[kept]


def windows_at(histories, users, ends, vocabulary, length) -> Windows:
    """One window for each of `users` that ends before event `ends`, both `(rows,)`."""
    starts = histories.starts[users]
    return Windows(
        items=gather_rows(histories.items, starts, ends, length),
        users=users.astype(np.int32),
        end_time=histories.times[ends - 1],
        vocabulary=vocabulary,
        user_ids=histories.user_ids,
        overlapping=_overlap(np.maximum(ends - length, starts), ends),
    )


def _overlap(begins, ends):
    """Whether two of these ranges of events have one in common."""
    order = np.argsort(begins, kind="stable")
    return bool((begins[order][1:] < ends[order][:-1]).any())
