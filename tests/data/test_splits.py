import numpy as np
import pandas as pd
import pytest
from refusals import refused

from stackrec_keras.data import (
    Split,
    Vocabulary,
    Windows,
    make_windows,
    read_interactions,
    split_by_time,
    split_leave_one_out,
    split_random,
    synthetic,
)


def small_log(seed=0, users=30, items=25, events=400, times=60):
    rng = np.random.default_rng(seed)
    return read_interactions(
        pd.DataFrame(
            {
                "user": rng.integers(0, users, events) * 2,
                "item": rng.integers(0, items, events) + 100,
                "timestamp": rng.integers(0, times, events),
            }
        )
    )


def numbered_windows(rows):
    return Windows(
        np.arange(2 * rows, dtype=np.int32).reshape(rows, 2), np.arange(rows)
    )


def parts(split):
    return split.train, split.validation, split.test


def decoded(windows):
    """[(raw user or None, [raw items])] of the rows."""
    rows = []
    for user, row in zip(windows.users, windows.items, strict=True):
        raw = None if user < 0 else windows.user_ids[user]
        rows.append((raw, windows.vocabulary.decode(row[row > 0]).tolist()))
    return rows


# Random split


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
    message = (
        "The split has no validation rows: with 4 windows, test_share=0.2 and "
        "validation_share=0.1 leave it empty. Give a longer log"
    )
    with pytest.raises(ValueError, match=message):
        split_random(numbered_windows(4))


def test_no_windows_at_all_are_refused_with_the_reason():
    log = small_log()
    windows = make_windows(log.iloc[:1], Vocabulary.from_items(log["item"]), 5)
    message = "no train rows: there are no windows, as no history has enough items\\. G"
    with pytest.raises(ValueError, match=message):
        split_random(windows)


# Leave one out


def test_the_last_item_is_the_test_and_the_one_before_the_validation():
    log = read_interactions(
        pd.DataFrame(
            [("a", n, n) for n in range(1, 8)]
            + [("b", n, n) for n in (1, 2)]
            + [("c", n, n) for n in (4, 5, 6)],
            columns=["user", "item", "timestamp"],
        )
    )
    split = split_leave_one_out(log, Vocabulary.from_items(log["item"]), length=4)
    assert decoded(split.train) == [("a", [2, 3, 4, 5]), ("b", [1, 2])]
    assert decoded(split.validation) == [("a", [3, 4, 5, 6]), ("c", [4, 5])]
    assert decoded(split.test) == [("a", [4, 5, 6, 7]), ("c", [4, 5, 6])]
    assert split.test.end_time.tolist() == [7, 6]
    assert split.num_users == 3


@pytest.mark.parametrize(
    "events, part", [(1, "train"), (2, "validation"), (3, "train")]
)
def test_histories_too_short_to_leave_one_out_are_refused_with_the_reason(events, part):
    log = read_interactions(
        pd.DataFrame([("a", n, n) for n in range(events)] + [("b", 0, 0)]),
        *(0, 1, 2),
    )
    message = (
        f"The split has no {part} rows: the longest history has {events} items?. Two "
        ".* after at least min_items=2 to train on. Give .* or by time.$"
    )
    with pytest.raises(ValueError, match=message):
        split_leave_one_out(log, Vocabulary.from_items(log["item"]), length=4)


def test_items_that_are_unknown_are_part_of_the_reason():
    log = small_log()
    for vocabulary, way in (
        (Vocabulary([10**6]), "does not have their items. To keep them: Vocab"),
        (Vocabulary(["104"]), r"as '104' \(str\), .* \(int\). Convert .*astype\('str'"),
    ):
        with pytest.raises(ValueError, match=f"0 items.*are 400 of 400 events.*{way}"):
            split_leave_one_out(log, vocabulary, length=4)


def test_leave_one_out_leaves_each_users_training_rows_before_its_targets():
    log = small_log(events=200)
    split = split_leave_one_out(log, Vocabulary.from_items(log["item"]), length=5)
    counts = log.groupby("user").size()
    assert len(split.test) == len(split.validation) == (counts >= 3).sum()
    for user, row in decoded(split.test):
        history = log.loc[log["user"] == user, "item"].tolist()
        assert row == history[-5:]
    for user, row in decoded(split.train):
        history = log.loc[log["user"] == user, "item"].tolist()
        usable = history[:-2] if len(history) >= 3 else history
        assert str(row)[1:-1] in str(usable)


# By time


@pytest.mark.parametrize("seed", range(8))
def test_no_training_event_is_at_or_after_the_earliest_validation_target(seed):
    split = split_by_time(small_log(seed), 5)
    first_target = split.validation.end_time.min()
    assert split.train.end_time.max() < first_target
    assert first_target <= split.validation.end_time.max() < split.test.end_time.min()


@pytest.mark.parametrize("seed", range(8))
def test_rows_of_a_time_split_are_those_of_a_slow_reference(seed):
    log = small_log(seed, times=25)
    split = split_by_time(log, 4, validation_start=15, test_start=20)
    events = list(log.itertuples(index=False, name=None))
    known = {item for _, item, time in events if time < 15}
    trained = {user for user, _, time in events if time < 15}
    assert split.vocabulary.ids.tolist() == sorted(known)
    assert split.train.user_ids.tolist() == sorted(trained)
    unknown = cold = 0
    for part, first, last in ((split.validation, 15, 20), (split.test, 20, 99)):
        expected = []
        for user, item, time in events:
            if not first <= time < last:
                continue
            history = [i for u, i, t in events if u == user and t < time and i in known]
            if item not in known:
                unknown += 1
            elif not history:
                cold += 1
            else:
                raw = user if user in trained else None
                expected.append((raw, history[-3:] + [item], time))
        found = [
            (*row, time) for row, time in zip(decoded(part), part.end_time, strict=True)
        ]
        assert found == expected
    assert (split.unknown_targets, split.cold_targets) == (unknown, cold)


def test_new_items_and_new_users_are_counted_and_shown():
    log = read_interactions(
        pd.DataFrame(
            [
                ("a", "x", 1),
                ("a", "y", 2),
                ("a", "new", 3),
                ("a", "x", 4),
                ("b", "x", 3),
                ("b", "y", 4),
                ("a", "y", 4),
            ],
            columns=["user", "item", "timestamp"],
        )
    )
    message = (
        "The split has no validation rows: validation begins at 3. Events from there "
        "on: 5; with an item that training does not have: 1; .* before them: 1. Give"
    )
    with pytest.raises(ValueError, match=message):
        split_by_time(log, 3, validation_start=3, test_start=4)
    log.loc[len(log)] = ("c", "x", 2)
    log.loc[len(log)] = ("c", "y", 3)
    split = split_by_time(read_interactions(log), 3, validation_start=3, test_start=4)
    assert decoded(split.validation) == [("c", ["x", "y"])]
    # What "a" did at time 4 is not before its other target at time 4.
    assert decoded(split.test) == [
        ("a", ["x", "y", "x"]),
        ("a", ["x", "y", "y"]),
        (None, ["x", "y"]),
    ]
    assert split.test.users.tolist() == [0, 0, -1]
    assert (split.unknown_targets, split.cold_targets) == (1, 1)
    assert "dropped 1 target that training does not have and 1" in str(split)


def test_a_time_split_takes_dates():
    log = small_log()
    log["timestamp"] = pd.to_datetime(log["timestamp"], unit="D")
    by_date = split_by_time(
        log,
        5,
        validation_start=np.datetime64("1970-02-10"),
        test_start=pd.Timestamp("1970-02-20"),
    )
    by_number = split_by_time(small_log(), 5, validation_start=40, test_start=50)
    assert by_date.hash == by_number.hash


def test_a_time_split_takes_times_as_strings():
    log = small_log()
    log["timestamp"] = pd.to_datetime(log["timestamp"], unit="D")
    by_string = split_by_time(
        log,
        5,
        validation_start="1970-02-10",
        test_start="1970-02-20 01:00+01:00",
        stage_starts=["1970-01-20"],
    )
    by_number = split_by_time(
        small_log(), 5, validation_start=40, test_start=50, stage_starts=[19]
    )
    assert by_string.hash == by_number.hash
    shares = [by_string.train.share_before("1970-01-20")]
    assert shares == [by_number.train.share_before(19)]
    with pytest.raises(ValueError, match="test_start='soon' is no time.*'2020-01-05'"):
        split_by_time(log, 5, validation_start="1970-02-10", test_start="soon")
    with pytest.raises(ValueError, match="validation_start='1970.*are numbers such as"):
        split_by_time(small_log(), 5, validation_start="1970-02-10", test_start=50)


@pytest.mark.parametrize(
    "times, message",
    [
        ((20, None), "give both times, or none"),
        ((None, 20), "give both times, or none"),
        ((30, 20), "leave a part empty: events run from 0 to 59"),
        ((0, 20), "leave a part empty"),
        ((20, 60), "leave a part empty"),
    ],
)
def test_bad_times_are_refused(times, message):
    with pytest.raises(ValueError, match=message):
        split_by_time(small_log(), 5, validation_start=times[0], test_start=times[1])


def test_shares_that_fall_on_one_time_are_refused():
    log = small_log(times=2)
    message = (
        "test_share=0.1 and validation_share=0.1 leave a part empty: 400 events at 2 "
        "different times, from 0 to 1; validation would begin at 1 and the test at 1"
    )
    with pytest.raises(ValueError, match=message):
        split_by_time(log, 5)


def test_an_empty_log_is_refused():
    with pytest.raises(ValueError, match="log has no rows"):
        split_by_time(small_log().iloc[:0], 5)


def test_users_with_too_few_events_before_validation_are_refused_with_the_reason():
    log = read_interactions(
        pd.DataFrame({"user": range(9), "item": 1, "timestamp": range(9)})
    )
    message = (
        "The split has no train rows: validation begins at 7, after 7 events, and no "
        "user has min_items=2 of them. Give a longer log, a later"
    )
    with pytest.raises(ValueError, match=message):
        split_by_time(log, 5, validation_start=7, test_start=8)


def test_shares_of_events_set_the_times():
    log = synthetic(num_users=100, num_items=20, events_per_user=30)
    split = split_by_time(log, 10, test_share=0.2, validation_share=0.1)
    held_out = len(split.test) + len(split.validation)
    held_out += split.unknown_targets + split.cold_targets
    assert held_out == pytest.approx(0.3 * len(log), abs=5)


# All splits


def test_every_split_knows_its_vocabulary_and_its_users():
    log = small_log()
    vocabulary = Vocabulary.from_items(log["item"])
    windows = make_windows(log, vocabulary, 5)
    for split in (
        split_random(windows),
        split_leave_one_out(log, vocabulary, 5),
        split_by_time(log, 5),
    ):
        assert split.vocabulary is split.test.vocabulary
        assert split.num_items == len(split.vocabulary)
        assert split.num_users == len(split.train.user_ids)
        for part in parts(split):
            assert part.items.max() <= split.num_items
            assert part.users.max() < split.num_users
            assert part.items.shape[1] == 5


def test_the_hash_is_the_same_on_every_machine_and_hangs_on_items_and_users():
    split = Split(numbered_windows(3), numbered_windows(2), numbered_windows(1))
    assert split.hash == "0bfe5dd7ef4d92b4"
    other = Split(numbered_windows(3), numbered_windows(1), numbered_windows(2))
    assert other.hash != split.hash
    wide = Windows(split.train.items.astype(np.int64), split.train.users)
    assert Split(wide, split.validation, split.test).hash == split.hash
    moved = Windows(split.train.items, split.train.users + 1)
    assert Split(moved, split.validation, split.test).hash != split.hash


def test_a_split_prints_its_rows_and_its_hash():
    split = split_random(numbered_windows(100))
    assert str(split) == (
        f"Split {split.hash}: 70 training, 10 validation, 20 test rows of 2 items; "
        f"{split.num_items} items, {split.num_users} users"
    )


@pytest.mark.parametrize("seed", range(4))
def test_stages_of_a_time_split_hold_what_was_known_when_they_began(seed):
    log = small_log(seed, users=8)
    times = {"validation_start": 45, "test_start": 50}
    split = split_by_time(log, 5, stride=3, stage_starts=[20, 30], **times)
    train = split.train
    assert train.end_time.max() < 45
    for low, high in ((0, 20), (20, 30), (30, 45)):
        rows = train.subset((train.end_time >= low) & (train.end_time < high))
        past = log[log["timestamp"] < high].reset_index(drop=True)
        alone = decoded(make_windows(past, split.vocabulary, 5, stride=3))
        held = decoded(rows)
        # Newest ends first, so that what is cut is what would be cut without a future.
        assert all(row in alone for row in held)
        covered = sum(len(items) for _, items in held)
        new = past[past["timestamp"] >= low]
        assert covered >= len(new) - 8
        if low == 0:
            assert held == alone
    whole = split_by_time(log, 5, stride=3, **times)
    assert whole.vocabulary == split.vocabulary
    assert np.array_equal(whole.test.items, split.test.items)


def test_the_share_of_rows_before_a_stage_is_what_batches_take():
    split = split_by_time(
        small_log(), 5, validation_start=45, test_start=50, stage_starts=[20]
    )
    batches = split.train.batches(1000, share_by="time")
    batches.set_epoch(0, split.train.share_before(20))
    assert batches.num_rows == (split.train.end_time < 20).sum()
    (x, y), *_ = batches
    old = split.train.subset(split.train.end_time < 20).arrays()
    assert sorted(map(tuple, x)) == sorted(map(tuple, old[0]))


def test_a_stage_has_rows_of_its_new_events_alone_and_they_may_be_one():
    rows = [("a", i, t) for i, t in zip("xyxy", (1, 2, 3, 25))]
    rows += [("b", i, t) for i, t in zip("xyxyxy", (1, 2, 25, 35, 45, 50))]
    log = read_interactions(pd.DataFrame(rows, columns=["user", "item", "timestamp"]))
    train = split_by_time(
        log, 3, validation_start=45, test_start=50, stage_starts=[20, 30]
    ).train
    # "a" has one event in the second stage, and none in the third.
    assert train.end_time[train.users == 0].tolist() == [3, 25]


@pytest.mark.parametrize("stage_starts", [[30, 20], [45], [0]])
def test_stages_out_of_order_are_refused(stage_starts):
    with pytest.raises(ValueError, match="stage_starts=.* must increase, after the"):
        split_by_time(
            small_log(),
            5,
            validation_start=45,
            test_start=50,
            stage_starts=stage_starts,
        )


def test_a_row_that_ends_at_a_time_is_not_before_it():
    train = split_by_time(small_log(), 5, validation_start=45, test_start=50).train
    newest = train.end_time.max()
    assert train.share_before(newest) < 1
    assert train.share_before(newest + 1) == 1


def test_rows_without_times_have_no_share_before_one():
    with pytest.raises(ValueError, match="end_time=None"):
        numbered_windows(4).share_before(3)


def test_a_time_split_keeps_the_indices_that_a_model_knows():
    log = small_log()
    times = {"validation_start": 45, "test_start": 50}
    new = split_by_time(log, 5, **times)
    known = Vocabulary([124, 999, 100])
    users = [58, 7, 0]
    split = split_by_time(log, 5, **times, vocabulary=known, user_ids=users)
    assert split.vocabulary.ids[:3].tolist() == [124, 999, 100]
    assert sorted(split.vocabulary.ids) == [*new.vocabulary.ids, 999]
    assert split.train.user_ids[:3].tolist() == users
    assert sorted(split.train.user_ids) == sorted([7, *new.train.user_ids])
    for ours, theirs in zip(parts(split), parts(new), strict=True):
        assert decoded(ours) == decoded(theirs)


def test_items_that_a_model_knows_are_no_unknown_targets():
    log = small_log()
    times = {"validation_start": 10, "test_start": 50}
    known = Vocabulary.from_items(log["item"])
    assert split_by_time(log, 5, **times).unknown_targets > 0
    assert split_by_time(log, 5, **times, vocabulary=known).unknown_targets == 0


# Windows that overlap


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
    # Of some of the rows it is no longer known which events they share.
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


def test_the_rows_of_a_split_by_time_are_split_by_user():
    split = split_by_time(small_log(), 5, stage_starts=[20], stride=3)
    for part in parts(split):
        assert part.overlapping
        users = [set(one.users) for one in parts(split_random(part, 0.3, 0.3))]
        assert not (users[0] & users[1] or users[0] & users[2] or users[1] & users[2])


def test_too_few_users_for_windows_that_overlap_say_what_to_do():
    log = log_of_events(users=2, events=20)
    windows = make_windows(log, Vocabulary.from_items(log["item"]), 5, stride=1)
    message = "split by user, and 2 users are too few.*stride, or split_leave_one_out"
    with pytest.raises(ValueError, match=message):
        split_random(windows)
