import numpy as np
import pandas as pd
import pytest
from refusals import refused
from split_rows import decoded, numbered_windows, parts, small_log

from stackrec_keras.data import (
    Vocabulary,
    make_windows,
    read_interactions,
    split_by_time,
    synthetic,
)


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
        "gives no validation rows: validation begins at 3. Of 5 events from there on, "
        "1 has an item that is not in training, and 1 has no known item"
    )
    with refused("log", says=message):
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
    assert "dropped 1 target not seen in training and 1" in str(split)


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
    with refused("test_start", "soon", says="'2020-01-05'"):
        split_by_time(log, 5, validation_start="1970-02-10", test_start="soon")
    with refused("validation_start", "1970-02-10", says="must be a number"):
        split_by_time(small_log(), 5, validation_start="1970-02-10", test_start=50)


@pytest.mark.parametrize(
    "times, argument, message",
    [
        ((20, None), "test_start", "Give both"),
        ((None, 20), "validation_start", "Give both"),
        ((30, 20), "validation_start", "leave a part empty: events run from 0 to 59"),
        ((0, 20), "validation_start", "leave a part empty"),
        ((20, 60), "validation_start", "leave a part empty"),
    ],
)
def test_bad_times_are_refused(times, argument, message):
    with refused(argument, says=message):
        split_by_time(small_log(), 5, validation_start=times[0], test_start=times[1])


def test_shares_that_fall_on_one_time_are_refused():
    log = small_log(times=2)
    message = (
        "and validation_share=0.1 leave a part empty: the log has 400 events at 2 "
        "different times, from 0 to 1, and validation would begin at 1 and the test"
    )
    with refused("test_share", 0.1, says=message):
        split_by_time(log, 5)


def test_an_empty_log_is_refused():
    with refused("log", says="at least one event"):
        split_by_time(small_log().iloc[:0], 5)


def test_users_with_too_few_events_before_validation_are_refused_with_the_reason():
    log = read_interactions(
        pd.DataFrame({"user": range(9), "item": 1, "timestamp": range(9)})
    )
    message = (
        "gives no train rows: no user has min_items=2 among the 7 events before "
        "validation, which begins at 7. Give a longer log, a later"
    )
    with refused("log", says=message):
        split_by_time(log, 5, validation_start=7, test_start=8)


def test_shares_of_events_set_the_times():
    log = synthetic(num_users=100, num_items=20, events_per_user=30)
    split = split_by_time(log, 10, test_share=0.2, validation_share=0.1)
    held_out = len(split.test) + len(split.validation)
    held_out += split.unknown_targets + split.cold_targets
    assert held_out == pytest.approx(0.3 * len(log), abs=5)


# Stages


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
    with refused("stage_starts", stage_starts, says="must increase"):
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
    with refused("time", 3, says="end_time=None"):
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
