"""Training, validation and test rows: each user's last items, or the newest events."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from stackrec_keras.arguments import check_number
from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import counted, shown

from .arguments import check_column
from .event_columns import EventColumns
from .histories import check_log, make_histories
from .raw_ids import as_index
from .times import Time, as_time
from .vocabulary import (
    Column,
    Vocabulary,
    check_vocabulary,
    way_to_known,
)
from .windows import (
    Windows,
    check_window_sizes,
    check_windows,
    cut_windows,
    windows_at,
    windows_of_events,
)


@dataclass(frozen=True, eq=False)
class Split:
    """Training, validation and test windows over one vocabulary.

    `print(split)` shows the number of rows and a hash of all of them, so that two
    people can tell whether they work on the same split.

    Args:
        train: `Windows` to train on.
        validation: `Windows` to choose models and stop early by.
        test: `Windows` to report results on.
        unknown_targets: Validation and test targets that were dropped because
            the training events do not have the item (`split_by_time`).
        cold_targets: Validation and test targets that were dropped because
            the user has no known item before them (`split_by_time`).
    """

    train: Windows
    validation: Windows
    test: Windows
    unknown_targets: int = 0
    cold_targets: int = 0

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
        """Size of the catalogue."""
        return self.train.num_items

    @property
    def num_users(self) -> int:
        """Number of users that have an index."""
        return self.train.num_users

    @cached_property
    def hash(self) -> str:
        """16 hexadecimal digits of a SHA-256 over items and users of all rows."""
        digest = hashlib.sha256()
        for part in (self.train, self.validation, self.test):
            digest.update(repr(part.items.shape).encode())
            digest.update(np.ascontiguousarray(part.items, "<i4").data)
            digest.update(np.ascontiguousarray(part.users, "<i4").data)
        return digest.hexdigest()[:16]

    def __str__(self):
        text = (
            f"Split {self.hash}: {len(self.train)} training, {len(self.validation)} "
            f"validation, {counted(len(self.test), 'test row')} of "
            f"{counted(self.train.length, 'item')}; "
            f"{counted(self.num_items, 'item')}, {counted(self.num_users, 'user')}"
        )
        if self.unknown_targets or self.cold_targets:
            text += (
                f"; dropped {counted(self.unknown_targets, 'target')} that training "
                f"does not have and {self.cold_targets} without history"
            )
        return text


def split_leave_one_out(
    log: pd.DataFrame,
    vocabulary: Vocabulary,
    length: int,
    stride: int | None = None,
    min_items: int = 2,
) -> Split:
    """Holds out each user's last item for the test, the one before for validation.

    The test input is all that comes before the last item, the validation item with
    it. Users with fewer than 3 events are in the training part alone.

    Args:
        log: A sorted log, as `read_interactions` returns it.
        vocabulary: The `Vocabulary` of the items; events of others are left out.
        length: Items a row, the target with them.
        stride: As in `make_windows`, for the training rows.
        min_items: As in `make_windows`, for the training rows.

    Returns:
        A `Split`.

    Raises:
        ValueError: A size is out of range, or no user has enough events.

    Example:

    ```python
    split = split_leave_one_out(log, Vocabulary.from_items(log["item"]), length=50)
    ```
    """
    check_window_sizes(length, stride, min_items)
    check_vocabulary("vocabulary", vocabulary)
    histories = make_histories(log, vocabulary)
    ends = histories.ends
    sizes = np.diff(histories.starts)
    users = np.flatnonzero(sizes >= 3)
    train_ends = ends.copy()
    train_ends[users] -= 2
    longest = counted(sizes.max(initial=0), "item")
    cause = (
        f"the longest history has {longest}. Two of a user's are held out, after at "
        f"least min_items={min_items} to train on. Give a log with longer histories, "
        "or split it at random or by time."
    )
    unknown = len(log) - len(histories.items)
    if unknown:
        cause += (
            f" Not counted are {unknown} of {counted(len(log), 'event')}, as "
            "vocabulary does not have their items. "
            f"{way_to_known(vocabulary, log['item'], unknown)}"
        )
    return checked(
        Split(
            cut_windows(histories, [train_ends], vocabulary, length, stride, min_items),
            windows_at(histories, users, ends[users] - 1, vocabulary, length),
            windows_at(histories, users, ends[users], vocabulary, length),
        ),
        cause,
    )


def split_by_time(
    log: pd.DataFrame,
    length: int,
    test_share: float = 0.1,
    validation_share: float = 0.1,
    validation_start: Time = None,
    test_start: Time = None,
    stride: int | None = None,
    min_items: int = 2,
    stage_starts: Sequence[Time] = (),
    vocabulary: Vocabulary | None = None,
    user_ids: Column | None = None,
) -> Split:
    """Splits at two points in time, the same for all users.

    Training rows hold events before `validation_start` only, and vocabulary and user
    indices come from these events alone. Each event from `validation_start` on is
    the target of one validation row, each from `test_start` on of one test row; its
    input is what the user did strictly before it. Targets whose item training does
    not have, and targets without any known item before them, are dropped and
    counted. A user whom training does not have gets the index -1.

    For training that goes on as more data come in, `stage_starts` says when: windows
    then end at these times too, so that the rows before one of them are what could
    have been known at it, and those of a stage are among those of the next. The shares
    of the rows are for `StackingSchedule(..., data_shares=...)`.

    Args:
        log: A sorted log, as `read_interactions` returns it.
        length: Items a row, the target with them.
        test_share: Share of the events, the newest ones, for the test.
        validation_share: Share of the events, those before, for validation.
        validation_start: First time of validation, in the log's unit, or a string
            such as `"2020-01-05"` if the log has datetimes; instead of the shares,
            together with `test_start`.
        test_start: First time of the test.
        stride: As in `make_windows`, for the training rows.
        min_items: As in `make_windows`, for the training rows.
        stage_starts: Increasing times before `validation_start`, at which a second
            stage of training begins, a third, and so on.
        vocabulary: The `Vocabulary` of a model that is to be trained on: its items
            keep their index, and new ones of the training events follow.
        user_ids: The raw ids of the users whom that model knows, likewise.

    Returns:
        A `Split` with its `vocabulary`, `unknown_targets` and `cold_targets`.

    Raises:
        ValueError: That is no log, a share or size is out of range, a time is none,
            only one of the two times is given, they are in the wrong order, or a part
            is without rows.

    Example:

    ```python
    split = split_by_time(log, length=50, test_share=0.05, validation_share=0.05)

    # Train on what there was before Tuesday, grow, train on all up to Wednesday.
    split = split_by_time(
        log, 50, validation_start=wednesday, test_start=noon, stage_starts=[tuesday]
    )
    shares = [split.train.share_before(tuesday), 1.0]
    schedule = StackingSchedule.shares([4, 8], [1, 1], data_shares=shares)
    batches = split.train.batches(256, share_by="time")
    ```
    """
    check_window_sizes(length, stride, min_items)
    check_log(log)
    if vocabulary is not None:
        check_vocabulary("vocabulary", vocabulary)
    if user_ids is not None:
        check_column("user_ids", user_ids)
    times = log["timestamp"].to_numpy()
    if validation_start is None and test_start is None:
        check_shares(test_share, validation_share)
        validation_start, test_start = _times_at(times, validation_share, test_share)
    elif validation_start is None or test_start is None:
        raise ValueError(
            f"validation_start={validation_start} and test_start={test_start}: give "
            "both times, or none and the shares."
        )
    else:
        validation_start = as_time("validation_start", validation_start, times)
        test_start = as_time("test_start", test_start, times)
        _check_times(times, validation_start, test_start)
    stage_starts = _as_times("stage_starts", stage_starts, times)
    _check_stages(times.min(), stage_starts, validation_start)
    past = log[times < validation_start].reset_index(drop=True)
    vocabulary = _known(vocabulary, past["item"])
    train_histories = make_histories(past, vocabulary)
    stages = [_ends_at(train_histories, time) for time in stage_starts]
    stages.append(train_histories.ends)
    train = cut_windows(train_histories, stages, vocabulary, length, stride, min_items)
    histories = make_histories(log, vocabulary)
    unknown = int((times >= validation_start).sum()) - int(
        (histories.times >= validation_start).sum()
    )
    validation, cold = _target_rows(
        histories, validation_start, test_start, vocabulary, length
    )
    test, cold_test = _target_rows(histories, test_start, None, vocabulary, length)
    known_users = train_histories.user_ids
    if user_ids is not None:
        known_users = Vocabulary(user_ids).extended(past["user"]).ids
        train = _with_training_users(train, known_users)
    validation = _with_training_users(validation, known_users)
    test = _with_training_users(test, known_users)
    return checked(
        Split(train, validation, test, unknown, cold + cold_test),
        f"validation begins at {validation_start}, after "
        f"{counted(len(past), 'event')}, and no user has min_items={min_items} of "
        "them. Give a longer log, a later validation_start or smaller shares.",
        f"validation begins at {validation_start}. Events from there on: "
        f"{len(log) - len(past)}; with an item that training does not have: {unknown}; "
        f"with no known item before them: {cold + cold_test}. Give a longer log, a "
        "later validation_start or smaller shares.",
    )


def _target_rows(histories, first_time, last_time, vocabulary, length):
    """A row for each event in [first_time, last_time), and how many had no input."""
    targets = histories.times >= first_time
    if last_time is not None:
        targets &= histories.times < last_time
    targets = np.flatnonzero(targets)
    users = np.searchsorted(histories.starts, targets, side="right") - 1
    # Events at the target's own time are not before it.
    input_ends = _tie_starts(histories)[targets]
    begins = histories.starts[users]
    warm = input_ends > begins
    targets, users = targets[warm], users[warm]
    rows = windows_of_events(
        histories,
        users,
        EventColumns(
            histories.columns, begins[warm], input_ends[warm], targets, length
        ),
        vocabulary,
        overlapping=True,  # each target is in the inputs after it
    )
    return rows, int((~warm).sum())


def _known(vocabulary, items):
    if vocabulary is None:
        return Vocabulary.from_items(items)
    return vocabulary.extended(items)


def _ends_at(histories, time):
    """`(users,)`: one past each user's last event before a time."""
    older = np.concatenate([[0], np.cumsum(histories.times < time)])
    starts = histories.starts[:-1]
    return starts + older[histories.ends] - older[starts]


def _tie_starts(histories):
    """`(events,)`: the user's first event at the time of each event."""
    first = np.ones(len(histories.times), bool)
    first[1:] = histories.times[1:] != histories.times[:-1]
    first[histories.starts[:-1][np.diff(histories.starts) > 0]] = True
    positions = np.where(first, np.arange(len(first)), 0)
    return np.maximum.accumulate(positions)


def _with_training_users(windows, known_users):
    mapping = as_index(known_users).get_indexer(as_index(windows.user_ids))
    users = mapping[windows.users].astype(np.int32)
    return replace(windows, users=users, user_ids=known_users)


def _as_times(name, values, times):
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(
            f"{name}={shown(values)} must be a list of times, as in {name}=[...]."
        )
    return [as_time(name, value, times) for value in values]


def _times_at(times, validation_share, test_share):
    if len(times) == 0:
        raise ValueError("log has no rows; it must have at least one event.")
    ordered = np.sort(times)
    first_test = len(times) - round(len(times) * test_share)
    first_validation = first_test - round(len(times) * validation_share)
    last = len(times) - 1
    validation = ordered[min(first_validation, last)]
    test = ordered[min(first_test, last)]
    if not ordered[0] < validation < test:
        raise ValueError(
            f"test_share={test_share} and validation_share={validation_share} leave a "
            f"part empty: {counted(len(times), 'event')} at "
            f"{counted(len(np.unique(times)), 'different time')}, from {ordered[0]} to "
            f"{ordered[-1]}; validation would begin at "
            f"{validation} and the test at {test}. Give a longer log, finer times or "
            "other shares."
        )
    return validation, test


def check_shares(test_share, validation_share):
    """Checks the fractions of the data that are held out."""
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


def _check_times(times, validation_start, test_start):
    first, last = times.min(), times.max()
    if not first < validation_start < test_start <= last:
        raise ValueError(
            f"validation_start={validation_start} and test_start={test_start} leave "
            f"a part empty: events run from {first} to {last}, and it must be "
            "first event < validation_start < test_start <= last event."
        )


def _check_stages(first, stage_starts, validation_start):
    times = [first, *stage_starts, validation_start]
    if not all(early < late for early, late in zip(times, times[1:])):
        raise ValueError(
            f"stage_starts=[{', '.join(map(str, stage_starts))}] must increase, after "
            f"the first event ({first}) and before validation_start "
            f"({validation_start})."
        )


def share_cause(what, test_share, validation_share):
    """Why shares of so few windows or users leave a part without rows."""
    return (
        f"with {what}, test_share={test_share} and "
        f"validation_share={validation_share} leave it empty. Give a longer log, or "
        "other shares."
    )


def checked(split, cause, of_targets=None):
    """Returns the split, if each of its parts has rows.

    Args:
        split: The split.
        cause: String, why one may have none, and what to do.
        of_targets: String, the same of validation and test, where it is another.

    Raises:
        ValueError: One has none.
    """
    causes = {"train": cause, "validation": of_targets or cause}
    causes["test"] = causes["validation"]
    for name, reason in causes.items():
        if len(getattr(split, name)) == 0:
            raise ValueError(f"The split has no {name} rows: {reason}")
    return split
