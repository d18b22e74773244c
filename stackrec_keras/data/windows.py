"""Fixed-length windows of users' histories: the rows that models train on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from stackrec_keras.arguments import check_bools, check_integer
from stackrec_keras.errors import ArgumentError, warn
from stackrec_keras.wording import agreeing, counted

from .batches import Batches
from .event_columns import EventColumns, check_columns, take_rows
from .histories import make_histories
from .rows import Rows, check_indices
from .times import Time, as_time
from .vocabulary import Vocabulary, check_vocabulary, unknown_ids_hint


@dataclass(frozen=True, eq=False)
class Windows(Rows):
    """Rows of consecutive items, each of a single user, padded with 0 on the left.

    The last item of a row is its target, and the ones before it are its input. The
    features are `"items"` `(rows, length - 1)`, `"users"` `(rows,)` and two for each
    column `N` of the log:

    - `N`: the value at each input position, `(rows, length - 1)`, 0 at padding
    - `"next_" + N`: for each input position, the value of the event after it

    Windows of a log with times always have the column `"timestamps"`, the times in
    whole seconds as int64.

    Args:
        items: `(rows, length)` int32 indices; 0 is padding.
        users: `(rows,)` int32 user indices from 0; -1 is a user who is not in the
            training data (only `split_by_time` makes such rows).
        end_time: `(rows,)`, the time of each row's last item. Defaults to `None`:
            unknown.
        vocabulary: The `Vocabulary` that the indices belong to. Defaults to `None`.
        user_ids: `(users,)`, the raw id of each user index. Defaults to `None`.
        overlapping: Boolean, whether rows of one user may hold the same event, as with
            `make_windows(..., stride=1)`. `split_random` then splits by user. Defaults
            to `False`.
        columns: Dict from column name to `(rows, length)` numbers. Columns that come
            from a log are cut into rows only when they are read. Defaults to no
            columns.

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
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self):
        check_indices("items", self.items, ndim=2)
        check_indices("users", self.users, ndim=1)
        if self.vocabulary is not None:
            check_vocabulary("vocabulary", self.vocabulary)
        check_bools(overlapping=self.overlapping)
        if self.users.shape != (len(self.items),):
            raise ArgumentError(
                "users",
                f"must have the shape ({len(self.items)},), one index for each row of "
                "items",
                received=self.users,
            )
        check_columns(self.columns, self.items.shape)

    def __len__(self):
        return len(self.items)

    def __repr__(self):
        rows, items = counted(len(self), "row"), counted(self.length, "item")
        return f"Windows({rows} of {items})"

    @property
    def length(self) -> int:
        """The number of columns of `items`."""
        return self.items.shape[1]

    @property
    def num_items(self) -> int:
        """The number of items; their indices are 1 to `num_items`."""
        if self.vocabulary is not None:
            return len(self.vocabulary)
        return int(self.items.max(initial=0))

    @property
    def num_users(self) -> int:
        """The number of users; their indices are 0 to `num_users - 1`."""
        if self.user_ids is not None:
            return len(self.user_ids)
        return int(self.users.max(initial=-1)) + 1

    @property
    def inputs(self) -> np.ndarray:
        """`(rows, length - 1)`, all items of each row except the last."""
        return self.items[:, :-1]

    @property
    def next_items(self) -> np.ndarray:
        """`(rows, length - 1)`, the item after each input, 0 at padding."""
        return np.where(self.inputs > 0, self.items[:, 1:], 0)

    @property
    def last_item(self) -> np.ndarray:
        """`(rows,)`, the newest item of each row."""
        return self.items[:, -1]

    def targets_for(self, evaluation: bool) -> np.ndarray:
        """Returns `last_item` for evaluation and `next_items` for training."""
        return self.last_item if evaluation else self.next_items

    @property
    def feature_names(self) -> list[str]:
        """The names of all features: items, users and the columns' features."""
        pairs = ((name, f"next_{name}") for name in self.columns)
        return ["items", "users", *(name for pair in pairs for name in pair)]

    def feature(self, name: str) -> np.ndarray:
        """Returns one feature of all rows; `name` is one of `feature_names`."""
        if name == "items":
            return self.inputs
        if name == "users":
            return self.users
        if name in self.columns:
            values = self.columns[name][:, :-1]
        else:
            values = self.columns[name.removeprefix("next_")][:, 1:]
        return np.where(self.inputs > 0, values, np.zeros((), values.dtype))

    def item_ids(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns all input items and all targets without copying them."""
        return self.inputs, self.items[:, 1:]

    def subset(self, rows: slice | np.ndarray) -> "Windows":
        """Returns the windows chosen by an index array, a slice or a boolean mask."""
        end_time = None if self.end_time is None else self.end_time[rows]
        return replace(
            self,
            items=self.items[rows],
            users=self.users[rows],
            end_time=end_time,
            columns=take_rows(self.columns, rows),
        )

    def share_before(self, time: Time) -> float:
        """Returns the fraction of the rows that end before a time.

        Pass it to a schedule as one of `data_shares`, and use
        `batches(share_by="time")`.

        Args:
            time: A number if the log's times are numbers, and otherwise a date or a
                string.
        """
        if self.end_time is None:
            raise ArgumentError(
                "time",
                "cannot be compared with these windows, which have end_time=None",
                "Make the windows from a log.",
                time,
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
        features: Sequence[str] | None = None,
        group_by_length: bool = False,
    ) -> Batches:
        """Returns these windows as batches `(x, y)` for `fit` and `evaluate`.

        Args:
            batch_size: Integer, the number of rows per batch. Defaults to `256`.
            seed: Integer of at least 0, the seed of the order. Defaults to `0`.
            shuffle: Boolean, whether to draw a new order for each epoch. Defaults to
                `True`.
            evaluation: Boolean, `True` for `evaluate` and `validation_data`: `y` is the
                single next item, and the rows keep their order. Defaults to `False`.
            with_users: Boolean, `True` for `SSEPT`: short for
                `features=["items", "users"]`. Defaults to `False`.
            share_by: String, how to choose rows while a schedule trains on a fraction
                of them (`StackingSchedule(..., data_shares=...)`): `"random"`, or
                `"time"`, which takes the oldest. Defaults to `"random"`.
            features: List of feature names; `x` is then a dict of these features.
                Defaults to `None`: `x` is the array of items.
            group_by_length: Boolean, whether to put rows of similar length together,
                and cut off their common padding: see `Batches`. Defaults to `False`.

        Returns:
            `Batches`.

        Example:

        ```python
        batches = windows.batches(features=["items", "timestamps"])
        ```
        """
        return Batches(
            self,
            batch_size,
            seed=seed,
            shuffle=shuffle,
            evaluation=evaluation,
            with_users=with_users,
            share_by=share_by,
            features=features,
            group_by_length=group_by_length,
        )


def make_windows(
    log: pd.DataFrame,
    vocabulary: Vocabulary,
    length: int,
    stride: int | None = None,
    min_items: int = 2,
) -> Windows:
    """Cuts each user's history into windows, backward from its newest event.

    A user's newest window ends at the last event; the window before it ends
    `stride` events earlier, and so on until the whole history is covered. The
    oldest window may be shorter than `length` and is then padded on the left.
    Rows are in the order of users, each user's oldest window first. Events whose item
    is not in the vocabulary are left out before cutting. The numeric columns of the log
    become columns of the windows.

    Args:
        log: A sorted log, as `read_interactions` returns it.
        vocabulary: The `Vocabulary` of the items.
        length: Integer of at least 2, the number of items per window.
        stride: Integer from 1 to `length`, the number of events from the end of a
            window to the end of the next. Defaults to `length`: windows do not overlap.
            `split_random` splits overlapping windows by user.
        min_items: Integer; windows with fewer items are dropped. Defaults to `2`.

    Returns:
        `Windows`.

    Raises:
        ArgumentError: If `length`, `stride` or `min_items` is out of range, or if `log`
            is not a sorted interaction log.

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
        warn(
            f"{left_out:,} of {counted(len(log), 'event')} "
            f"{agreeing(left_out, 'was', 'were')} left out because vocabulary does not "
            f"have {agreeing(left_out, 'its item', 'their items')}. "
            f"{unknown_ids_hint(vocabulary, log['item'], left_out)}",
        )


def check_windows(name, value):
    """Checks that an argument is `Windows`."""
    if not isinstance(value, Windows):
        raise ArgumentError(
            name,
            "must be Windows",
            "Make them with make_windows(log, vocabulary, length=20), or use the first "
            "value that `read_sequences` returns.",
            value,
        )


def check_window_sizes(length, stride=None, min_items=2):
    """Checks the sizes of windows."""
    check_integer("length", length, 2, ", because a window needs an input and a target")
    check_integer("min_items", min_items, 1)
    if stride is not None:
        check_integer("stride", stride, 1, f" and at most length={length}")
        if stride > length:
            raise ArgumentError(
                "stride",
                f"must be at most length={length}, because a larger one skips events",
                "Leave it out for disjoint windows.",
                stride,
            )
    if min_items > length:
        raise ArgumentError(
            "min_items", f"must be at most length={length}", received=min_items
        )


def cut_windows(histories, stages, vocabulary, length, stride=None, min_items=2):
    """Cuts the windows of each stage, backward from each user's newest event in it.

    A stage is a period of the log.

    Args:
        histories: `Histories`.
        stages: List of `(users,)` arrays, one per stage: the index after each user's
            last event in it. A stage begins where the previous one ends, but its
            windows may also hold earlier events.
        vocabulary: The `Vocabulary` of the items.
        length: As in `make_windows`.
        stride: As in `make_windows`. Defaults to `None`.
        min_items: As in `make_windows`. Defaults to `2`.

    Returns:
        One `Windows` with the rows of all stages, in the order of the stages.
    """
    begins = [histories.starts[:-1], *stages]
    rows = [
        _rows_of_stage(histories, begin, end, length, stride or length, min_items)
        for begin, end in zip(begins, stages)
    ]
    users, ends = (np.concatenate(parts) for parts in zip(*rows))
    return windows_at(histories, users, ends, vocabulary, length)


def _rows_of_stage(histories, begins, ends, length, stride, min_items):
    """Returns the user and the end of each row of a stage, both `(rows,)`."""
    sizes = ends - begins
    counts = np.where(sizes > 0, 1 - (length - np.maximum(sizes, length)) // stride, 0)
    users = np.repeat(np.arange(len(sizes), dtype=np.int32), counts)
    # The number of newer windows of the same user: 0 for the newest.
    newer = np.cumsum(counts)[users] - 1 - np.arange(len(users))
    row_ends = ends[users] - newer * stride
    kept = np.minimum(row_ends - histories.starts[users], length) >= min_items
    return users[kept], row_ends[kept]


def windows_at(histories, users, ends, vocabulary, length) -> Windows:
    """Returns one window for each entry of `users` and `ends`.

    Args:
        histories: `Histories`.
        users: `(rows,)` user indices.
        ends: `(rows,)`, the index after each row's last event.
        vocabulary: The `Vocabulary` of the items.
        length: Integer, the number of items per window.
    """
    begins = np.maximum(ends - length, histories.starts[users])
    last = ends - 1
    return windows_of_events(
        histories,
        users,
        EventColumns(histories.columns, begins, last, last, length),
        vocabulary,
        overlapping=_overlap(begins, ends),
    )


def windows_of_events(histories, users, columns, vocabulary, overlapping) -> Windows:
    """Returns windows whose rows hold the events of `columns`.

    Args:
        histories: `Histories`.
        users: `(rows,)` user indices.
        columns: `EventColumns` of the histories.
        vocabulary: The `Vocabulary` of the items.
        overlapping: Boolean, whether rows of one user may hold the same event.
    """
    return Windows(
        items=columns.cut(histories.items),
        users=users.astype(np.int32),
        end_time=histories.times[columns.targets],
        vocabulary=vocabulary,
        user_ids=histories.user_ids,
        overlapping=overlapping,
        columns=columns,
    )


def _overlap(begins, ends):
    """Returns whether any two of the given ranges of events overlap."""
    order = np.argsort(begins, kind="stable")
    return bool((begins[order][1:] < ends[order][:-1]).any())
