import numpy as np
import pytest
from refusals import refused

from stackrec_keras.data import (
    TransferSplit,
    Vocabulary,
    read_sequences,
    read_transfer,
)
from stackrec_keras.errors import StackRecWarning


def write(tmp_path, text):
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode())
    return path


@pytest.fixture
def pairs(tmp_path):
    """Twenty users; user u has 1 to 3 targets, all of them from 100 + u on."""
    text = "\n".join(
        f"{u},{u + 1},{u + 2},,{','.join(str(100 + u + i) for i in range(u % 3 + 1))}"
        for u in range(1, 21)
    )
    return read_transfer(write(tmp_path, text))


def raw_pairs(pairs):
    histories, targets = pairs.arrays()
    return [
        (pairs.vocabulary.decode(row[row > 0]).tolist(), int(target))
        for row, target in zip(histories, pairs.target_vocabulary.decode(targets))
    ]


PAIRS = [([7, 30, 7], 9), ([7, 30, 7], 8), ([100], 9)]


@pytest.mark.parametrize(
    "text",
    [
        "7,30,7,,9,8\n100,,9\n",
        "0,7,30,7,,9,8\n0,0,0,100,,9",
        "7,30,7,0,,9,8,0\n100,0,0,0,,9,0,0\n",
        '"7", "30", "7",, "9", "8"\r\n100,,9,,,\r\n',
        "7,30,7,,9,8\n\n100,,9\n4,,\n",
    ],
    ids=["ragged", "left", "right", "quotes and trailing commas", "blanks"],
)
def test_each_source_history_is_paired_with_each_target(tmp_path, text):
    pairs = read_transfer(write(tmp_path, text))
    assert raw_pairs(pairs) == PAIRS
    assert pairs.histories.dtype == pairs.targets.dtype == np.int32
    assert (pairs.histories[-1, :-1] == 0).all()


def test_the_two_catalogues_have_vocabularies_of_their_own(tmp_path):
    pairs = read_transfer(write(tmp_path, "7,30,7,,9,7\n100,,9\n"))
    assert pairs.vocabulary.ids.tolist() == [7, 30, 100]
    assert pairs.vocabulary.counts.tolist() == [2, 1, 1]
    assert pairs.target_vocabulary.ids.tolist() == [7, 9]
    assert pairs.target_vocabulary.counts.tolist() == [1, 2]
    assert (pairs.num_items, pairs.num_targets, pairs.num_users) == (3, 2, 2)


def test_users_are_numbered_by_their_rows_in_the_file(tmp_path):
    pairs = read_transfer(write(tmp_path, "1,2,,5\n3,,\n,\n2,,5,6\n"))
    assert pairs.users.tolist() == [0, 3, 3]
    x, _ = pairs.batches(8, evaluation=True, with_users=True)[0]
    assert x["users"].tolist() == [0, 3, 3]


def test_a_length_keeps_the_last_items_of_a_history(tmp_path):
    path = write(tmp_path, "1,2,3,,7\n4,,8\n")
    pairs = read_transfer(path, length=2)
    assert pairs.vocabulary.decode(pairs.histories[0]).tolist() == [2, 3]
    assert read_transfer(path, length=5).histories.shape == (2, 5)


@pytest.mark.parametrize("more", ["", ",x"], ids=["numbers", "strings"])
def test_the_source_vocabulary_may_be_that_of_pre_training(tmp_path, more):
    _, vocabulary = read_sequences(write(tmp_path, f"5,1,9,7{more}\n"))
    path = write(tmp_path, "1,7,,3\n9,8,,2\n")
    with pytest.warns(StackRecWarning, match="1 of 4 source .*source_vocabulary"):
        pairs = read_transfer(path, vocabulary)
    assert pairs.vocabulary is vocabulary
    assert [[str(i) for i in history] for history, _ in raw_pairs(pairs)] == [
        ["1", "7"],
        ["9"],
    ]


def test_pairs_of_unknown_histories_or_targets_are_left_out(tmp_path):
    path = write(tmp_path, "1,7,,3,4\n8,,3\n7,,4\n")
    with pytest.warns(StackRecWarning, match="1 of 4 source items"):
        pairs = read_transfer(path, Vocabulary([1, 7]))
    assert raw_pairs(pairs) == [([1, 7], 3), ([1, 7], 4), ([7], 4)]
    with pytest.warns(StackRecWarning, match="2 of 4 target .*target_vocabulary"):
        pairs = read_transfer(path, target_vocabulary=Vocabulary([3]))
    assert raw_pairs(pairs) == [([1, 7], 3), ([8], 3)]


@pytest.mark.parametrize(
    "row", ["2,3", "2,,3,,4", ",,4", "4"], ids=["none", "two", "at the start", "one id"]
)
def test_a_row_of_another_form_is_named(tmp_path, row):
    path = write(tmp_path, f"1,,2\n{row}\n")
    with refused("path", path, says=f"row 2 is '{row}'"):
        read_transfer(path)


@pytest.mark.parametrize(
    "text", ["1,,\n2,,\n", "", "0,,5\n"], ids=["no targets", "empty", "padding"]
)
def test_a_file_without_pairs_is_refused(tmp_path, text):
    path = write(tmp_path, text)
    with refused("path", path, says="no row with both a known source item"):
        read_transfer(path)


def test_a_history_has_at_least_one_item(tmp_path):
    with refused("length", 0):
        read_transfer(write(tmp_path, "1,,5\n"), length=0)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.csv"):
        read_transfer(tmp_path / "none.csv")


def test_no_user_stands_on_two_sides_of_the_split(pairs):
    split = pairs.split(test_share=0.2, validation_share=0.1)
    parts = [split.train, split.validation, split.test]
    users = [set(part.users.tolist()) for part in parts]
    assert [len(part) for part in users] == [14, 2, 4]
    assert set.union(*users) == set(range(20))
    assert sum(map(len, parts)) == len(pairs)
    assert sorted(raw_pairs(split.train) + raw_pairs(split.validation)) == sorted(
        pair for pair in raw_pairs(pairs) if pair not in raw_pairs(split.test)
    )
    assert split.num_targets == len(split.target_vocabulary) == pairs.num_targets
    assert split.num_items == len(split.vocabulary) == pairs.num_items


def test_the_hash_says_whether_two_splits_are_the_same(pairs):
    split = pairs.split(seed=3)
    assert split.hash == pairs.split(seed=3).hash != pairs.split(seed=4).hash
    assert split.hash in str(split)
    many = pairs.subset(np.zeros(1500, int))
    text = str(TransferSplit(many, many, many))
    assert ": 1,500 training, 1,500 validation, 1,500 test pairs of a history" in text
    other = pairs.subset(slice(None))
    other.histories[0, -1] += 1
    assert other.split(seed=3).hash != split.hash


def test_shares_that_leave_a_part_empty_are_refused(pairs):
    with refused("test_share", 0.6):
        pairs.split(test_share=0.6, validation_share=0.4)
    with refused("pairs", says="no validation rows: 20 users"):
        pairs.split(validation_share=0.01)


def test_the_order_of_the_batches_is_a_function_of_seed_and_epoch(pairs):
    def drawn(seed, epoch):
        batches = pairs.batches(8, seed=seed)
        batches.set_epoch(epoch)
        parts = [batches[i] for i in range(len(batches))]
        return [np.concatenate(part) for part in zip(*parts)]

    x, y = drawn(1, 2)
    np.testing.assert_array_equal(x, drawn(1, 2)[0])
    assert (y != drawn(1, 3)[1]).any() and (y != drawn(2, 2)[1]).any()
    assert sorted(y) == sorted(pairs.targets)
    x, y = pairs.batches(len(pairs), evaluation=True)[0]
    np.testing.assert_array_equal(y, pairs.targets)
    np.testing.assert_array_equal(x, pairs.histories[pairs.users])


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "source,,target\n5,6,,7\n6,,8\n",
            "'source' in line 1. Remove the header",
        ),
        ("5,6,,7\n[5, 6],,[7]\n", r"'\[5' in line 2|'\[7\]' in line 2"),
        ("5.0,6.0,,7.0\n", "'5.0' in line 1. Write whole numbers"),
        ('5,"6,,7\n', "quote in line 1 that is not closed"),
    ],
)
def test_a_file_of_another_form_is_refused_with_its_line(tmp_path, text, message):
    with refused("path", says=message):
        read_transfer(write(tmp_path, text))


def test_a_byte_order_mark_is_not_part_of_an_id(tmp_path):
    assert raw_pairs(read_transfer(write(tmp_path, "\ufeff5,,7\n"))) == [([5], 7)]
