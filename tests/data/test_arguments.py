"""What newcomers give by mistake, and what they are told."""

import datetime

import numpy as np
import pandas as pd
import pytest
from refusals import refused

from stackrec_keras.data import (
    Batches,
    Split,
    TransferPairs,
    Vocabulary,
    Windows,
    load,
    make_windows,
    read_interactions,
    read_sequences,
    read_transfer,
    split_by_time,
    split_leave_one_out,
    split_random,
    synthetic,
)

LOG = synthetic(num_users=20, num_items=10, events_per_user=12)
DATED = LOG.assign(timestamp=pd.to_datetime(LOG["timestamp"], unit="s"))
VOCABULARY = Vocabulary.from_items(LOG["item"])
WINDOWS = make_windows(LOG, VOCABULARY, length=4)
SPLIT = split_random(WINDOWS)
INTS = np.ones((2, 3), "int32")


@pytest.mark.parametrize(
    "call, argument, received",
    [
        (lambda: split_random(SPLIT), "windows", SPLIT),
        (lambda: split_random("rows.csv"), "windows", "rows.csv"),
        (lambda: split_random(WINDOWS, "0.2"), "test_share", "0.2"),
        (lambda: split_random(WINDOWS, 0.2, None), "validation_share", None),
        (lambda: split_random(WINDOWS, seed="1"), "seed", "1"),
        (lambda: split_random(WINDOWS, seed=-1), "seed", -1),
        (lambda: Split(SPLIT, WINDOWS, WINDOWS), "train", SPLIT),
        (lambda: Split(WINDOWS, WINDOWS, None), "test", None),
        (lambda: Batches(SPLIT, 8), "windows", SPLIT),
        (lambda: WINDOWS.batches("8"), "batch_size", "8"),
        (lambda: WINDOWS.batches(8.0), "batch_size", 8.0),
        (lambda: WINDOWS.batches(0), "batch_size", 0),
        (lambda: WINDOWS.batches(8, True), "seed", True),
        (lambda: WINDOWS.batches(8, -1), "seed", -1),
        (lambda: WINDOWS.batches(8, shuffle="no"), "shuffle", "no"),
        (lambda: WINDOWS.batches(8, evaluation=1), "evaluation", 1),
        (lambda: WINDOWS.batches(8, with_users="u"), "with_users", "u"),
        (lambda: WINDOWS.batches(8).set_epoch("1"), "epoch", "1"),
        (lambda: WINDOWS.batches(8).set_epoch(0, "1"), "share", "1"),
    ],
)
def test_what_is_split_or_batched_must_be_windows(call, argument, received):
    with refused(argument, received):
        call()


@pytest.mark.parametrize("call", [split_random, Batches])
def test_a_log_is_not_windows_yet(call):
    with refused("windows", says=r"a frame with .*make_windows\(log"):
        call(LOG)


@pytest.mark.parametrize("length", ["20", 20.0, 1.5, True, None, VOCABULARY])
def test_a_length_is_an_integer(length, tmp_path):
    path = tmp_path / "sequences.csv"
    path.write_text("1,2,3\n" * 20)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("1,2,,3\n" * 20)
    calls = [
        lambda: make_windows(LOG, VOCABULARY, length),
        lambda: split_leave_one_out(LOG, VOCABULARY, length),
        lambda: split_by_time(LOG, length),
        lambda: read_sequences(path, length=length),
        lambda: read_transfer(pairs, length=length),
    ]
    for call in calls[:3] if length is None else calls:
        with pytest.raises(ValueError, match="length=.* must be an integer of at le"):
            call()


@pytest.mark.parametrize(
    "argument, value", [("stride", "2"), ("stride", 1.5), ("min_items", 2.5)]
)
def test_other_sizes_are_integers(argument, value):
    with refused(argument, value):
        make_windows(LOG, VOCABULARY, 4, **{argument: value})


@pytest.mark.parametrize(
    "log, argument",
    [
        ("log.csv", "log"),
        (WINDOWS, "log"),
        (LOG["item"], "log"),
        (LOG.to_dict("list"), "log"),
        (LOG.assign(timestamp="then"), "log['timestamp']"),
        (LOG.assign(user=np.nan), "log['user']"),
    ],
)
def test_a_log_is_what_read_interactions_returns(log, argument):
    for call in (make_windows, split_leave_one_out):
        with refused(argument):
            call(log, VOCABULARY, 4)
    with refused(argument):
        split_by_time(log, 4)


def test_the_columns_that_a_log_lacks_are_named():
    with refused("log", says=r"lacks the columns \['timestamp'\]"):
        split_by_time(LOG.drop(columns="timestamp"), 4)


@pytest.mark.parametrize("wrong", [LOG["item"], VOCABULARY.ids, [1, 2], 20, LOG])
def test_a_vocabulary_is_no_column(wrong, tmp_path):
    message = r"vocabulary is .*must be a Vocabulary, .*from_items\(log\['item'\]\)"
    path = tmp_path / "pairs.csv"
    path.write_text("1,2,,3\n" * 20)
    for call in (
        lambda: make_windows(LOG, wrong, 4),
        lambda: split_leave_one_out(LOG, wrong, 4),
        lambda: split_by_time(LOG, 4, vocabulary=wrong),
        lambda: Windows(INTS, INTS[:, 0], vocabulary=wrong),
        lambda: TransferPairs(INTS, INTS[0], INTS[0], wrong, VOCABULARY),
        lambda: TransferPairs(INTS, INTS[0], INTS[0], VOCABULARY, wrong),
        lambda: read_transfer(path, wrong),
        lambda: read_transfer(path, None, wrong),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize(
    "call, argument",
    [
        (lambda: Windows(INTS.tolist(), INTS[:, 0]), "items"),
        (lambda: Windows(INTS, [1, 1]), "users"),
        (lambda: Windows(np.int64(1), INTS[0]), "items"),
        (lambda: Windows(INTS / 2, INTS[:, 0]), "items"),
        (lambda: Windows(INTS, INTS), "users"),
        (
            lambda: TransferPairs([[1]], INTS[0], INTS[0], VOCABULARY, VOCABULARY),
            "histories",
        ),
        (
            lambda: TransferPairs(INTS, INTS, INTS[0], VOCABULARY, VOCABULARY),
            "users",
        ),
        (
            lambda: TransferPairs(INTS, INTS[0], None, VOCABULARY, VOCABULARY),
            "targets",
        ),
    ],
)
def test_rows_are_arrays_of_indices(call, argument):
    with refused(argument):
        call()


# Times


def test_any_date_is_a_time_for_a_log_of_dates():
    first, second = "2020-12-01", "2021-01-01"
    expected = split_by_time(DATED, 4, validation_start=first, test_start=second)
    for make in (
        datetime.date.fromisoformat,
        datetime.datetime.fromisoformat,
        np.datetime64,
        lambda text: pd.Timestamp(text, tz="UTC"),
    ):
        times = {"validation_start": make(first), "test_start": make(second)}
        assert split_by_time(DATED, 4, **times).hash == expected.hash


@pytest.mark.parametrize(
    "log, times, message",
    [
        (
            DATED,
            {"validation_start": 16e8, "test_start": 17e8},
            "start=16.* no time",
        ),
        (DATED, {"validation_start": pd.NaT, "test_start": 1}, "start=NaT is no time"),
        (
            LOG,
            {"validation_start": datetime.date(2021, 1, 1), "test_start": 1},
            r"start=datetime.date\(2021, 1, 1\) is no number, and the times of the log",
        ),
        (
            LOG,
            {"stage_starts": [LOG["timestamp"][0]] * 2},
            r"stage_starts=\[\d+, \d+\]",
        ),
        (LOG, {"stage_starts": 1}, r"stage_starts=1 must be a list of times"),
        (LOG, {"stage_starts": "2020"}, "stage_starts='2020' must be a list of times"),
        (LOG, {"stage_starts": [None]}, "stage_starts=None is no number"),
        (LOG, {"user_ids": 5}, "user_ids is 5; give one column of raw ids"),
    ],
)
def test_a_time_that_a_log_does_not_have_is_refused(log, times, message):
    with pytest.raises(ValueError, match=message):
        split_by_time(log, 4, **times)


def test_rows_are_not_before_a_time_of_another_kind():
    with pytest.raises(ValueError, match="time=None is no number"):
        WINDOWS.share_before(None)


# Files


@pytest.mark.parametrize("path", [LOG, None, [[1, 2]], 5])
def test_sequences_are_read_from_a_path(path):
    for read in (read_sequences, read_transfer):
        with pytest.raises(ValueError, match="path is .*give the path of a file"):
            read(path)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((20,), "user_column=20 must be True or False"),
        ((False, 0.0), "pad=0.0 must be an integer or a string"),
    ],
)
def test_a_length_is_not_taken_for_a_switch(arguments, message, tmp_path):
    path = tmp_path / "sequences.csv"
    path.write_text("1,2,3\n" * 20)
    with pytest.raises(ValueError, match=message):
        read_sequences(path, *arguments)


def test_the_padding_of_pairs_is_such_as_a_file_has(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("1,2,,3\n" * 20)
    with pytest.raises(ValueError, match="pad=0.0 must be an integer or a string"):
        read_transfer(path, pad=0.0)
    with pytest.raises(ValueError, match="seed='a' must be an integer"):
        read_transfer(path).split(seed="a")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"user": None}, "user=None must be the name of a column, such as user='user'"),
        ({"item": LOG["item"]}, "item=<Series of int64, .* must be the name of a col"),
        ({"timestamp": ["timestamp"]}, r"timestamp=\['timestamp'\] must be the name"),
    ],
)
def test_columns_are_given_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        read_interactions(LOG, **arguments)


def test_what_is_no_log_at_all_is_refused():
    with pytest.raises(ValueError, match="type NoneType is neither a path nor"):
        read_interactions(None)
    with pytest.raises(ValueError, match=r"2 columns 'item' \(item\) in the frame"):
        read_interactions(pd.concat([LOG, LOG[["item"]]], axis=1))
    with pytest.raises(ValueError, match=r"users holds lists .*explode"):
        read_interactions(LOG.assign(user=[[1]] * len(LOG)))


def test_a_data_set_is_asked_for_by_name():
    for name, shown in ((LOG, "a frame"), (["ml-1m"], r"\['ml-1m'\]")):
        with pytest.raises(ValueError, match=f"name={shown} .*is no named data set"):
            load(name)


# Vocabularies


@pytest.mark.parametrize("column", ["log.csv", LOG, VOCABULARY, WINDOWS, {1: 2}, {1}])
def test_ids_come_in_one_column(column):
    for call in (
        lambda: Vocabulary(column),
        lambda: Vocabulary.from_items(column),
        lambda: VOCABULARY.extended(column),
    ):
        with pytest.raises(ValueError, match="give one column of raw ids"):
            call()


def test_only_one_column_is_encoded():
    for values in (LOG, WINDOWS.items, VOCABULARY):
        with pytest.raises(ValueError, match="values is .*give one column of raw ids"):
            VOCABULARY.encode(values)
    with pytest.raises(ValueError, match="values holds lists"):
        VOCABULARY.encode([[1, 2], [3]])
    assert VOCABULARY.encode(3).tolist() == [3]


def test_a_list_is_no_id():
    histories = LOG.groupby("user")["item"].apply(list)
    for make in (Vocabulary, Vocabulary.from_items):
        with pytest.raises(ValueError, match=r"A list is no id; .*explode\('item'\)"):
            make(histories)


@pytest.mark.parametrize("indices", ["a", ["a"], [1.0], None, [[1, 2], [3]], [True]])
def test_only_integers_are_decoded(indices):
    with pytest.raises(ValueError, match="indices is .* must be an array of integers"):
        VOCABULARY.decode(indices)
    assert VOCABULARY.decode([]).shape == (0,)


def test_counts_are_integers():
    with pytest.raises(ValueError, match=r"counts is \['a', 'b'\]; give one integer"):
        Vocabulary([1, 2], counts=["a", "b"])


@pytest.mark.parametrize("text", ["vocabulary.json", VOCABULARY])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError, match="text is .* is no JSON.*not its path"):
        Vocabulary.from_json(text)


@pytest.mark.parametrize(
    "config", [5, {}, {"ids": [1]}, {"ids": [1], "counts": [1], "id_type": "x"}]
)
def test_what_describes_no_vocabulary_is_refused(config):
    with pytest.raises(ValueError, match="config is .* describes no vocabulary"):
        Vocabulary.from_config(config)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_users": "20"}, "num_users='20' must be an integer of at least 1"),
        ({"num_items": 5.5}, "num_items=5.5 must be an integer of at least 2"),
        ({"events_per_user": None}, "events_per_user=None must be an integer"),
        ({"num_classes": "3"}, "num_classes='3' must be an integer"),
        ({"noise": "a"}, "noise='a' must be a number"),
        ({"popularity": "a"}, "popularity='a' must be a number"),
        ({"seed": 1.5}, "seed=1.5 must be an integer"),
    ],
)
def test_a_log_is_generated_from_numbers(arguments, message):
    with pytest.raises(ValueError, match=message):
        synthetic(**{"num_users": 10, **arguments})
