import numpy as np
import pytest
from refusals import refused
from split_rows import numbered_windows, parts, small_log

from stackrec_keras.data import (
    Vocabulary,
    make_windows,
    read_interactions,
    split_by_time,
    split_random,
)


def test_a_random_split_shares_out_every_row_once():
    split = split_random(numbered_windows(100), test_share=0.2, validation_share=0.1)
    assert [len(part) for part in parts(split)] == [70, 10, 20]
    firsts = np.concatenate([part.users for part in parts(split)])
    assert sorted(firsts) == list(range(100))
    for part in parts(split):
        assert (np.diff(part.users) > 0).all()


def test_a_random_split_depends_on_its_seed_alone():
    windows = numbered_windows(100)
    assert split_random(windows).hash == split_random(windows).hash
    assert split_random(windows).hash != split_random(windows, seed=1).hash


@pytest.mark.parametrize(
    "shares, argument, share",
    [
        ((0.0, 0.1), "test_share", 0.0),
        ((0.2, 1.0), "validation_share", 1.0),
        ((-0.2, 0.1), "test_share", -0.2),
        ((0.6, 0.4), "test_share", 0.6),
    ],
)
def test_bad_shares_are_refused(shares, argument, share):
    with refused(argument, received=share):
        split_random(numbered_windows(100), *shares)
    with refused(argument, received=share):
        split_by_time(small_log(), 5, *shares)


def test_a_part_without_rows_is_refused():
    message = "gives no validation rows: 4 windows are too few for test_share=0.2"
    with refused("windows", says=message):
        split_random(numbered_windows(4))


def test_no_windows_at_all_are_refused_with_the_reason():
    log = small_log()
    windows = make_windows(log.iloc[:1], Vocabulary.from_items(log["item"]), 5)
    message = "no train rows: there are no windows, because no history has enough item"
    with refused("windows", says=message):
        split_random(windows)


def events_of(windows):
    """The events of all rows; in the log of these tests each has its own item."""
    return set(windows.items[windows.items > 0].tolist())


def log_of_events(users, events):
    """Each event has an item of its own; users have different numbers of events."""
    sizes = np.arange(users) % 5 + events
    user = np.repeat(np.arange(users), sizes)
    return read_interactions(
        {"user": user, "item": np.arange(len(user)), "timestamp": np.arange(len(user))}
    )


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_windows_that_share_events_never_stand_on_two_sides(stride):
    log = log_of_events(users=30, events=9)
    windows = make_windows(log, Vocabulary.from_items(log["item"]), 5, stride=stride)
    split = split_random(windows)
    sides = [events_of(part) for part in parts(split)]
    assert sum(map(len, sides)) == len(set.union(*sides)) == len(log)
    assert sum(len(part) for part in parts(split)) == len(windows)
    assert len(split.test) == pytest.approx(0.2 * len(windows), rel=0.3)
    assert len(split.validation) == pytest.approx(0.1 * len(windows), rel=0.5)
    assert (
        split.hash == split_random(windows).hash != split_random(windows, seed=1).hash
    )
    # For some of the rows, the events that they share are no longer known.
    assert split_random(windows.subset(slice(None))).hash == split.hash


def test_windows_that_share_no_events_are_split_row_by_row():
    log = log_of_events(users=30, events=9)
    vocabulary = Vocabulary.from_items(log["item"])
    windows = make_windows(log, vocabulary, 5)
    assert not windows.overlapping
    users = [set(part.users) for part in parts(split_random(windows))]
    assert users[0] & users[2]
    # A stride that is not used: no history is longer than a window.
    assert not make_windows(log, vocabulary, 13, stride=1).overlapping


def test_too_few_users_for_windows_that_overlap_say_what_to_do():
    log = log_of_events(users=2, events=20)
    windows = make_windows(log, Vocabulary.from_items(log["item"]), 5, stride=1)
    message = "split by user, and 2 users are too few.* or use split_leave_one_out"
    with refused("windows", says=message):
        split_random(windows)


def test_the_rows_of_a_split_by_time_are_split_by_user():
    split = split_by_time(small_log(), 5, stage_starts=[20], stride=3)
    for part in parts(split):
        assert part.overlapping
        users = [set(one.users) for one in parts(split_random(part, 0.3, 0.3))]
        assert not (users[0] & users[1] or users[0] & users[2] or users[1] & users[2])
