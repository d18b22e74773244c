"""The class `Split`, and the function that holds out each user's last items."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from stackrec_keras.arguments import check_bools, check_integer, check_number
from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import agreeing, counted

from .histories import check_log, make_histories
from .vocabulary import Vocabulary, check_vocabulary, unknown_ids_hint
from .windows import (
    Windows,
    check_window_sizes,
    check_windows,
    cut_windows,
    windows_at,
)

TIE_RULE = "events of one user at the same time keep the order of the file"


@dataclass(frozen=True, eq=False)
class Split:
    """Training, validation and test windows over one vocabulary.

    `print(split)` shows the number of rows and a hash of all of them. Two people with
    the same hash use the same split.

    Args:
        train: `Windows` to train on.
        validation: `Windows` for model selection and early stopping.
        test: `Windows` to report results on.
        unknown_targets: Integer, the number of held-out targets that were dropped
            because training lacks the item (`split_by_time`). Defaults to `0`.
        cold_targets: Integer, the number of held-out targets that were dropped because
            the user has no earlier known item (`split_by_time`). Defaults to `0`.
        tied_targets: Integer, the number of test targets that have the same time as the
            event before (`split_leave_one_out`). Only the order of the log says which
            of the two is last. Defaults to `0`.
    """

    train: Windows
    validation: Windows
    test: Windows
    unknown_targets: int = 0
    cold_targets: int = 0
    tied_targets: int = 0

    def __post_init__(self):
        check_windows("train", self.train)
        check_windows("validation", self.validation)
        check_windows("test", self.test)

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The `Vocabulary` of the items."""
        return self.train.vocabulary

    @property
    def num_items(self) -> int:
        """The number of items in the catalogue."""
        return self.train.num_items

    @property
    def num_users(self) -> int:
        """The number of users that have an index."""
        return self.train.num_users

    @cached_property
    def hash(self) -> str:
        """16 hexadecimal digits of a SHA-256 over items and users of all rows."""
        digest = hashlib.sha256()
        for part in (self.train, self.validation, self.test):
            digest.update(repr(part.items.shape).encode())
            for rows in part.parts():
                digest.update(np.ascontiguousarray(rows.items, "<i4").data)
            digest.update(np.ascontiguousarray(part.users, "<i4").data)
        return digest.hexdigest()[:16]

    def __str__(self):
        text = (
            f"Split {self.hash}: {len(self.train):,} training, "
            f"{len(self.validation):,} validation, "
            f"{counted(len(self.test), 'test row')} of "
            f"{counted(self.train.length, 'item')}; "
            f"{counted(self.num_items, 'item')}, {counted(self.num_users, 'user')}"
        )
        if self.unknown_targets or self.cold_targets:
            text += (
                f"; dropped {counted(self.unknown_targets, 'target')} not "
                f"seen in training and {self.cold_targets:,} without history"
            )
        if self.tied_targets:
            text += (
                f"; {counted(self.tied_targets, 'test target')} with the same time "
                f"as the event before ({TIE_RULE})"
            )
        return text


def split_leave_one_out(
    log: pd.DataFrame,
    vocabulary: Vocabulary | None,
    length: int,
    stride: int | None = None,
    min_items: int = 2,
    min_count: int = 1,
    newest_only: bool = False,
    whole_history: bool = False,
) -> Split:
    """Holds out each user's last item for the test and the item before for validation.

    The test input is everything before the last item, including the validation item.
    Users with fewer than 3 events are only in the training part. Events of one user at
    the same time keep the order of the file, which then decides what is held out.

    Most published models are trained on one row per user: use `newest_only=True`. In
    their evaluation, items that the user has seen are not ranked: use
    `whole_history=True`, and `exclude_seen=True` in `compile` or `evaluate`.

    Args:
        log: A sorted log, as `read_interactions` returns it.
        vocabulary: The `Vocabulary` of the items; events of other items are left out.
            `None` stands for the vocabulary of the log.
        length: Integer, the number of items per row, including the target.
        stride: As in `make_windows`, for the training rows. Defaults to `length`.
        min_items: As in `make_windows`, for the training rows. Defaults to `2`.
        min_count: Integer; items with fewer events in the log are left out. The
            vocabulary of the split is then smaller. Defaults to `1`.
        newest_only: Boolean, whether to train only on the newest row of each user.
            Defaults to `False`.
        whole_history: Boolean, whether validation and test rows hold all earlier
            events, which `exclude_seen` needs. A model with a `max_length` still reads
            only the last ones. Defaults to `False`.

    Returns:
        A `Split`.

    Raises:
        ArgumentError: If a size is out of range, no item has `min_count` events, or no
            user has enough events.

    Example:

    ```python
    split = split_leave_one_out(log, Vocabulary.from_items(log["item"]), length=50)
    published = split_leave_one_out(
        log, None, length=201, min_count=5, newest_only=True, whole_history=True
    )
    ```
    """
    check_leave_one_out(
        length, stride, min_items, min_count, newest_only, whole_history
    )
    vocabulary = _vocabulary(log, vocabulary, min_count)
    histories = make_histories(log, vocabulary)
    held_out = max(length, histories.longest) if whole_history else length
    split = cut_leave_one_out(
        histories, vocabulary, length, stride, min_items, newest_only, held_out
    )
    cause = _short_histories(log, histories, vocabulary, min_items)
    return check_parts("log", split, cause)


def check_leave_one_out(
    length, stride, min_items, min_count, newest_only, whole_history
):
    """Checks the arguments of `split_leave_one_out` that are not data."""
    check_window_sizes(length, stride, min_items)
    check_integer("min_count", min_count, 1)
    check_bools(newest_only=newest_only, whole_history=whole_history)
    if newest_only and stride is not None:
        reason = "has no meaning with newest_only=True, where each user has one row"
        raise ArgumentError("stride", reason, "Leave one of them out.", stride)


def cut_leave_one_out(
    histories, vocabulary, length, stride, min_items, newest_only, held_out
) -> Split:
    """Splits as `split_leave_one_out` does; a part may have no rows.

    Args:
        histories: `Histories`.
        vocabulary: The `Vocabulary` of the items.
        length, stride, min_items, newest_only: As in `split_leave_one_out`.
        held_out: Integer, the number of items per validation and test row.
    """
    users = np.flatnonzero(np.diff(histories.starts) >= 3)
    train_ends = histories.ends.copy()
    train_ends[users] -= 2
    if newest_only:
        stride = max(histories.longest, 1)  # so that each user has only one row
    last = histories.ends[users] - 1
    return Split(
        cut_windows(histories, [train_ends], vocabulary, length, stride, min_items),
        windows_at(histories, users, last, vocabulary, held_out),
        windows_at(histories, users, last + 1, vocabulary, held_out),
        tied_targets=int((histories.times[last] == histories.times[last - 1]).sum()),
    )


def _vocabulary(log, vocabulary, min_count):
    """Returns the `Vocabulary` of items with enough events."""
    if vocabulary is None:
        check_log(log)
        return Vocabulary.from_items(log["item"], min_count)
    check_vocabulary("vocabulary", vocabulary)
    if min_count == 1:
        return vocabulary
    check_log(log)
    found = np.bincount(vocabulary.encode(log["item"]), minlength=len(vocabulary) + 1)
    return Vocabulary(vocabulary.ids, found[1:]).with_count(min_count)


def _short_histories(log, histories, vocabulary, min_items):
    """Returns `(why, fix)` for the error that no user has enough events."""
    longest = counted(histories.longest, "item")
    why = (
        f"the longest history has {longest}, but a user needs two items "
        f"to hold out and at least min_items={min_items} to train on"
    )
    fix = "Give a log with longer histories, or split it at random or by time."
    unknown = len(log) - len(histories.items)
    if unknown:
        why += (
            f". {unknown} of {counted(len(log), 'event')} "
            f"{agreeing(unknown, 'does', 'do')} not count, because vocabulary does not "
            f"have {agreeing(unknown, 'its item', 'their items')}"
        )
        fix += f" {unknown_ids_hint(vocabulary, log['item'], unknown)}"
    return why, fix


def check_shares(test_share, validation_share):
    """Checks the fractions of the data to hold out."""
    shares = {"test_share": test_share, "validation_share": validation_share}
    for name, share in shares.items():
        check_number(name, share)
        if not 0 < share < 1:
            raise ArgumentError(name, "must lie between 0 and 1", received=share)
    if test_share + validation_share >= 1:
        raise ArgumentError(
            "test_share",
            f"and validation_share={validation_share} leave nothing to train on",
            "Their sum must be below 1.",
            test_share,
        )


def small_shares(what, test_share, validation_share):
    """Returns `(why, fix)` for the error that the windows or users are too few.

    Args:
        what: String, the number of windows or users, such as "3 users".
        test_share: Float, as in `split_random`.
        validation_share: Float, as in `split_random`.

    Returns:
        `(why, fix)`, as `check_parts` takes it.
    """
    return (
        f"{what} are too few for test_share={test_share} and "
        f"validation_share={validation_share}",
        "Give a longer log, or other fractions.",
    )


def check_parts(argument, split, cause, of_targets=None):
    """Checks that each part of a split has rows, and returns the split.

    Args:
        argument: String, the name of the argument that holds the data.
        split: The split.
        cause: `(why, fix)`, strings that say why a part may have no rows and what to
            do.
        of_targets: The `cause` for validation and test. Defaults to `cause`.

    Raises:
        ArgumentError: If a part has no rows.
    """
    held_out = of_targets or cause
    causes = {"train": cause, "validation": held_out, "test": held_out}
    for name, (why, fix) in causes.items():
        if len(getattr(split, name)) == 0:
            raise ArgumentError(argument, f"gives no {name} rows: {why}", fix)
    return split
