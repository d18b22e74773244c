"""Training, validation and test rows, separated by two points in time."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import agreeing, counted

from .event_columns import EventColumns
from .histories import check_log, make_histories
from .raw_ids import as_index
from .splits import Split, check_parts, check_shares
from .times import Time, as_time
from .vocabulary import Column, Vocabulary, check_column, check_vocabulary
from .windows import check_window_sizes, cut_windows, windows_of_events


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

    Training rows hold only events before `validation_start`. The vocabulary and the
    user indices also come only from these events. Each event between `validation_start`
    and `test_start` is the target of one validation row, and each event from
    `test_start` on is the target of one test row. A row's input is what the user did
    strictly before its target. Targets whose item does not occur in training, and
    targets without any known item before them, are dropped and counted. A user who does
    not occur in training gets the index -1.

    To train in stages as more data arrives, list in `stage_starts` the times at which
    the later stages begin. The training rows of a stage then hold no events of later
    stages. Each stage trains on its own rows and on those of the stages before it. Pass
    the fraction of the training rows that each stage uses to
    `StackingSchedule(..., data_shares=...)`.

    Args:
        log: A sorted log, as `read_interactions` returns it.
        length: Integer, the number of items per row, including the target.
        test_share: Float, the fraction of the events to test on. These are the newest
            events. Defaults to `0.1`.
        validation_share: Float, the fraction of the events for validation. These are
            the newest events before the test. Defaults to `0.1`.
        validation_start: First time of validation, in the log's unit, or a string
            such as `"2020-01-05"` if the log has datetimes. Give both start times
            instead of the fractions. Defaults to `None`.
        test_start: First time of the test. Defaults to `None`.
        stride: As in `make_windows`, for the training rows. Defaults to `length`.
        min_items: As in `make_windows`, for the training rows. Defaults to `2`.
        stage_starts: List of increasing times before `validation_start`: the beginning
            of the second training stage, the third one, and so on. Defaults to none.
        vocabulary: The `Vocabulary` of a model that will be trained further: its items
            keep their index, and new items in the training events follow. Defaults to
            `None`.
        user_ids: Raw ids of the users of the model that will be trained further. They
            keep their index, and new users follow. Defaults to `None`.

    Returns:
        A `Split` with its `vocabulary`, `unknown_targets` and `cold_targets`.

    Raises:
        ArgumentError: If `log` is not an interaction log, an argument is out of range,
            only one of the two start times is given, or a part has no rows.

    Example:

    ```python
    split = split_by_time(log, length=50, test_share=0.05, validation_share=0.05)

    # Train on everything before Tuesday, grow, train on everything before Wednesday.
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
    validation_start, test_start = _starts(
        times, validation_start, test_start, validation_share, test_share
    )
    stage_starts = as_stages(stage_starts, times, validation_start)
    past = times < validation_start
    vocabulary = _known(vocabulary, log["item"][past])
    starts = (*stage_starts, validation_start, test_start)
    split = cut_by_time(log, vocabulary, length, starts, stride, min_items)
    if user_ids is not None:
        known = Vocabulary(user_ids).extended(log["user"][past]).ids
        split = _with_users(split, known)
    causes = few_rows(split, validation_start, len(log), int(past.sum()), min_items)
    return check_parts("log", split, *causes)


def cut_by_time(log, vocabulary, length, starts, stride, min_items) -> Split:
    """Splits as `split_by_time` does; a part may have no rows.

    Args:
        log: A sorted log.
        vocabulary: The `Vocabulary` of the items.
        length, stride, min_items: As in `split_by_time`.
        starts: The start times of each later training stage, of validation and of the
            test, in this order.
    """
    *_, validation_start, test_start = starts
    times = log["timestamp"].to_numpy()
    past = log[times < validation_start].reset_index(drop=True)
    train_histories = make_histories(past, vocabulary)
    stages = [_ends_at(train_histories, time) for time in starts[:-2]]
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
    split = Split(train, validation, test, unknown, cold + cold_test)
    return _with_users(split, train_histories.user_ids)


def few_rows(split, validation_start, events, past, min_items):
    """Returns reasons and fixes for parts without rows, in the form that `check_parts`
    takes.

    Args:
        split: The `Split`.
        validation_start: First time of validation.
        events: Integer, the number of events in the log.
        past: Integer, the number of events before validation.
        min_items: As in `split_by_time`.
    """
    fix = "Give a longer log, a later validation_start or smaller fractions."
    few_events = (
        f"no user has min_items={min_items} among the {counted(past, 'event')} before "
        f"validation, which begins at {validation_start}"
    )
    few_targets = (
        f"validation begins at {validation_start}. Of "
        f"{counted(events - past, 'event')} from there on, {split.unknown_targets:,} "
        f"{agreeing(split.unknown_targets, 'has', 'have')} an item that is not in "
        f"training, and {split.cold_targets:,} "
        f"{agreeing(split.cold_targets, 'has', 'have')} no known item before"
    )
    return (few_events, fix), (few_targets, fix)


def _starts(times, validation_start, test_start, validation_share, test_share):
    """Returns the start times of validation and of the test."""
    if validation_start is None and test_start is None:
        check_shares(test_share, validation_share)
        return _times_at(times, validation_share, test_share)
    return given_starts(times, validation_start, test_start)


def given_starts(times, validation_start, test_start):
    """Returns the start times that the caller gave for validation and for the test.

    Args:
        times: `(events,)` times of the log, or only the first and the last.
        validation_start: As in `split_by_time`.
        test_start: As in `split_by_time`.
    """
    for name, start in (
        ("validation_start", validation_start),
        ("test_start", test_start),
    ):
        if start is None:
            reason = "must be given together with the other time"
            fix = "Give both validation_start and test_start, or the fractions instead."
            raise ArgumentError(name, reason, fix, start)
    starts = (
        as_time("validation_start", validation_start, times),
        as_time("test_start", test_start, times),
    )
    _check_times(times, *starts)
    return starts


def _target_rows(histories, first_time, last_time, vocabulary, length):
    """Returns the rows whose targets lie in [first_time, last_time), and the number of
    targets without input."""
    targets = histories.times >= first_time
    if last_time is not None:
        targets &= histories.times < last_time
    targets = np.flatnonzero(targets)
    users = np.searchsorted(histories.starts, targets, side="right") - 1
    # Events at the same time as the target do not come before it.
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
        overlapping=True,  # a target is an input of later rows
    )
    return rows, int((~warm).sum())


def _known(vocabulary, items):
    if vocabulary is None:
        return Vocabulary.from_items(items)
    return vocabulary.extended(items)


def _ends_at(histories, time):
    """Returns the index after each user's last event before `time`.

    The result has the shape `(users,)`.
    """
    older = np.concatenate([[0], np.cumsum(histories.times < time)])
    starts = histories.starts[:-1]
    return starts + older[histories.ends] - older[starts]


def _tie_starts(histories):
    """Returns, for each event, the same user's first event at the same time."""
    first = np.ones(len(histories.times), bool)
    first[1:] = histories.times[1:] != histories.times[:-1]
    first[histories.starts[:-1][np.diff(histories.starts) > 0]] = True
    positions = np.where(first, np.arange(len(first)), 0)
    return np.maximum.accumulate(positions)


def _with_users(split, known_users):
    """Returns a split whose user indices are positions in `known_users`, or -1."""
    index = as_index(known_users)
    parts = {}
    for name in ("train", "validation", "test"):
        windows = getattr(split, name)
        places = index.get_indexer(as_index(windows.user_ids))
        places = np.append(places, -1)  # an unknown user keeps -1
        users = places[windows.users].astype(np.int32)
        parts[name] = replace(windows, users=users, user_ids=known_users)
    return replace(split, **parts)


def as_stages(values, times, validation_start):
    """Returns the start times of the later training stages.

    Args:
        values: The caller's `stage_starts`.
        times: `(events,)` times of the log, or only the first and the last.
        validation_start: First time of validation.

    Raises:
        ArgumentError: If values are not times, or are out of order.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ArgumentError("stage_starts", "must be a list of times", received=values)
    stage_starts = [as_time("stage_starts", value, times) for value in values]
    _check_stages(times.min(), stage_starts, validation_start)
    return stage_starts


def ranks_of_starts(events, validation_share, test_share):
    """Returns the ranks of the first validation event and the first test event."""
    first_test = events - round(events * test_share)
    first_validation = first_test - round(events * validation_share)
    return [min(first, events - 1) for first in (first_validation, first_test)]


def _times_at(times, validation_share, test_share):
    if len(times) == 0:
        raise ArgumentError("log", "must have at least one event")
    ordered = np.sort(times)
    validation, test = ordered[
        ranks_of_starts(len(times), validation_share, test_share)
    ]
    if not ordered[0] < validation < test:
        raise ArgumentError(
            "test_share",
            f"and validation_share={validation_share} leave a part empty: the log has "
            f"{counted(len(times), 'event')} at "
            f"{counted(len(np.unique(times)), 'different time')}, from {ordered[0]} to "
            f"{ordered[-1]}, and validation would begin at {validation} and the test "
            f"at {test}",
            "Give a longer log, more precise times or other fractions.",
            test_share,
        )
    return validation, test


def _check_times(times, validation_start, test_start):
    first, last = times.min(), times.max()
    if not first < validation_start < test_start <= last:
        raise ArgumentError(
            "validation_start",
            f"and test_start={test_start} leave a part empty: events run from {first} "
            f"to {last}",
            "Times must satisfy first event < validation_start < test_start <= last "
            "event.",
            validation_start,
        )


def _check_stages(first, stage_starts, validation_start):
    times = [first, *stage_starts, validation_start]
    if not all(early < late for early, late in zip(times, times[1:])):
        raise ArgumentError(
            "stage_starts",
            f"must increase, begin after the first event ({first}) and end before "
            f"validation_start ({validation_start})",
            received=stage_starts,
        )
