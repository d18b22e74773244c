import numpy as np
import pandas as pd
import pytest
from refusals import refused
from split_rows import decoded, numbered_windows, parts, small_log

from stackrec_keras.data import (
    Split,
    Vocabulary,
    Windows,
    make_windows,
    read_interactions,
    split_by_time,
    split_leave_one_out,
    split_random,
)

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
        f"gives no {part} rows: the longest history has {events} items?, but a "
        "user needs two .* and at least min_items=2 to train on. Give .* or by time.$"
    )
    with refused("log", says=message):
        split_leave_one_out(log, Vocabulary.from_items(log["item"]), length=4)


def test_items_that_are_unknown_are_part_of_the_reason():
    log = small_log()
    for vocabulary, way in (
        (Vocabulary([10**6]), "longer histories.* To keep these events, use"),
        (Vocabulary(["104"]), r"as '104' \(str\), .* \(int\). Convert .*astype\('str'"),
    ):
        with refused("log", says=f"0 items.*400 of 400 events do.*{way}"):
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


def test_rare_items_are_left_out_before_the_last_ones_are_held_out():
    log = read_interactions(
        pd.DataFrame(
            [("a", n, n) for n in (1, 2, 3, 4, 9)] + [("b", n, n) for n in range(5)],
            columns=["user", "item", "timestamp"],
        )
    )
    split = split_leave_one_out(log, None, length=4, min_count=2)
    assert split.vocabulary == Vocabulary.from_items(log["item"], min_count=2)
    assert split.vocabulary.ids.tolist() == [1, 2, 3, 4]
    assert decoded(split.test) == [("a", [1, 2, 3, 4]), ("b", [1, 2, 3, 4])]
    known = Vocabulary([4, 9, 1, 2, 3])  # an order and items of its own
    split = split_leave_one_out(log, known, length=4, min_count=2)
    assert split.vocabulary.ids.tolist() == [4, 1, 2, 3]
    assert split.vocabulary.counts.tolist() == [2, 2, 2, 2]
    with refused("min_count", received=3, says="most frequent one has 2 occurrences"):
        split_leave_one_out(log, None, length=4, min_count=3)


def test_min_count_1_is_the_split_of_before():
    log = small_log()
    vocabulary = Vocabulary.from_items(log["item"])
    split = split_leave_one_out(log, vocabulary, length=4)
    assert split_leave_one_out(log, None, 4, min_count=1).hash == split.hash
    assert split.vocabulary is vocabulary


def test_newest_only_trains_on_the_last_of_each_users_rows():
    log = small_log()
    every = split_leave_one_out(log, None, length=4)
    newest = split_leave_one_out(log, None, length=4, newest_only=True)
    last = {user: row for user, row in decoded(every.train)}
    assert decoded(newest.train) == list(last.items())
    assert len(newest.train) < len(every.train)
    assert decoded(newest.test) == decoded(every.test)
    with refused("stride", received=2):
        split_leave_one_out(log, None, length=4, stride=2, newest_only=True)


def test_whole_histories_are_held_out_without_a_limit():
    log = small_log()
    short = split_leave_one_out(log, None, length=4)
    split = split_leave_one_out(log, None, length=4, whole_history=True)
    assert decoded(split.train) == decoded(short.train)
    histories = {u: items.tolist() for u, items in log.groupby("user")["item"]}
    assert decoded(split.test) == list(histories.items())
    assert [row for _, row in decoded(split.validation)] == [
        items[:-1] for items in histories.values()
    ]


def test_ties_are_counted_and_their_rule_is_printed_with_the_hash():
    events = [("a", n, n) for n in range(5)] + [("b", n, min(n, 3)) for n in range(5)]
    log = read_interactions(pd.DataFrame(events), *(0, 1, 2))
    split = split_leave_one_out(log, None, length=4)
    assert split.tied_targets == 1
    assert "1 test target with the same time as the event before (events" in str(split)
    assert decoded(split.test)[1][1] == [1, 2, 3, 4]  # the order of the file


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


def test_a_split_prints_all_large_numbers_alike():
    rows = numbered_windows(1500)
    split = Split(rows, rows, rows, unknown_targets=1000, cold_targets=1000)
    assert ": 1,500 training, 1,500 validation, 1,500 test rows of" in str(split)
    assert "dropped 1,000 targets not seen in training and 1,000 without" in str(split)
