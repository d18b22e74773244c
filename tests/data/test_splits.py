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
        f"gives no {part} rows: the longest history has {events} items?, and two "
        ".* after at least min_items=2 to train on. Give .* or by time.$"
    )
    with refused("log", says=message):
        split_leave_one_out(log, Vocabulary.from_items(log["item"]), length=4)


def test_items_that_are_unknown_are_part_of_the_reason():
    log = small_log()
    for vocabulary, way in (
        (Vocabulary([10**6]), "longer histories.* To keep them, use Vocab"),
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
