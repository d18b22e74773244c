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
        with refused("length", length):
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
    path = tmp_path / "pairs.csv"
    path.write_text("1,2,,3\n" * 20)
    for call, argument in (
        (lambda: make_windows(LOG, wrong, 4), "vocabulary"),
        (lambda: split_leave_one_out(LOG, wrong, 4), "vocabulary"),
        (lambda: split_by_time(LOG, 4, vocabulary=wrong), "vocabulary"),
        (lambda: Windows(INTS, INTS[:, 0], vocabulary=wrong), "vocabulary"),
        (
            lambda: TransferPairs(INTS, INTS[0], INTS[0], wrong, VOCABULARY),
            "vocabulary",
        ),
        (
            lambda: TransferPairs(INTS, INTS[0], INTS[0], VOCABULARY, wrong),
            "target_vocabulary",
        ),
        (lambda: read_transfer(path, wrong), "source_vocabulary"),
        (lambda: read_transfer(path, None, wrong), "target_vocabulary"),
    ):
        with refused(argument, says=r"from_items\(log\['item'\]\)"):
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
    "log, times, argument, received",
    [
        (
            DATED,
            {"validation_start": 16e8, "test_start": 17e8},
            "validation_start",
            16e8,
        ),
        (
            DATED,
            {"validation_start": pd.NaT, "test_start": 1},
            "validation_start",
            pd.NaT,
        ),
        (
            LOG,
            {"validation_start": datetime.date(2021, 1, 1), "test_start": 1},
            "validation_start",
            datetime.date(2021, 1, 1),
        ),
        (LOG, {"stage_starts": [LOG["timestamp"][0]] * 2}, "stage_starts", ...),
        (LOG, {"stage_starts": 1}, "stage_starts", 1),
        (LOG, {"stage_starts": "2020"}, "stage_starts", "2020"),
        (LOG, {"stage_starts": [None]}, "stage_starts", None),
        (LOG, {"user_ids": 5}, "user_ids", 5),
    ],
)
def test_a_time_that_a_log_does_not_have_is_refused(log, times, argument, received):
    with refused(argument) as error:
        split_by_time(log, 4, **times)
    assert (
        received is ...
        or error.value.received is received
        or (error.value.received == received)
    )


def test_rows_are_not_before_a_time_of_another_kind():
    with refused("time", None):
        WINDOWS.share_before(None)


# Files


@pytest.mark.parametrize("path", [None, [[1, 2]], 5])
def test_sequences_are_read_from_a_path(path):
    for read in (read_sequences, read_transfer):
        with refused("path", path):
            read(path)


def test_a_log_is_not_a_path():
    for read in (read_sequences, read_transfer):
        with refused("path", says="a frame with .*`read_interactions`"):
            read(LOG)


@pytest.mark.parametrize(
    "arguments, argument", [((20,), "user_column"), ((False, 0.0), "pad")]
)
def test_a_length_is_not_taken_for_a_switch(arguments, argument, tmp_path):
    path = tmp_path / "sequences.csv"
    path.write_text("1,2,3\n" * 20)
    with refused(argument, arguments[-1]):
        read_sequences(path, *arguments)


def test_the_padding_of_pairs_is_such_as_a_file_has(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("1,2,,3\n" * 20)
    with refused("pad", 0.0):
        read_transfer(path, pad=0.0)
    with refused("seed", "a"):
        read_transfer(path).split(seed="a")


@pytest.mark.parametrize(
    "argument, name",
    [("user", None), ("item", [1, 2]), ("timestamp", ["timestamp"])],
)
def test_columns_are_given_by_name(argument, name):
    with refused(argument, name):
        read_interactions(LOG, **{argument: name})


def test_what_is_not_a_log_at_all_is_refused():
    with refused("path_or_frame", None):
        read_interactions(None)
    with refused("item", "item", says="names 2 columns of a frame"):
        read_interactions(pd.concat([LOG, LOG[["item"]]], axis=1))
    with refused("user", says="lists .*explode"):
        read_interactions(LOG.assign(user=[[1]] * len(LOG)))


def test_a_data_set_is_asked_for_by_name():
    with refused("name", ["ml-1m"]):
        load(["ml-1m"])
    with refused("name", says="a frame .*`read_interactions`"):
        load(LOG)
    with refused("name", "ml1m", says="Did you mean 'ml-1m'?"):
        load("ml1m")


# Vocabularies


@pytest.mark.parametrize("column", ["log.csv", LOG, VOCABULARY, WINDOWS, {1: 2}, {1}])
def test_ids_come_in_one_column(column):
    for call, argument in (
        (Vocabulary, "ids"),
        (Vocabulary.from_items, "items"),
        (VOCABULARY.extended, "items"),
    ):
        with refused(argument, says="must be one column of raw ids"):
            call(column)


def test_only_one_column_is_encoded():
    for values in (LOG, WINDOWS.items, VOCABULARY):
        with refused("values", says="must be one column of raw ids"):
            VOCABULARY.encode(values)
    with refused("values", says="holds lists"):
        VOCABULARY.encode([[1, 2], [3]])
    assert VOCABULARY.encode(3).tolist() == [3]


def test_a_list_is_not_an_id():
    histories = LOG.groupby("user")["item"].apply(list)
    for make in (Vocabulary, Vocabulary.from_items):
        with refused("ids", says=r"the type list, .*explode\('item'\)"):
            make(histories)


@pytest.mark.parametrize("indices", ["a", ["a"], [1.0], None, [[1, 2], [3]], [True]])
def test_only_integers_are_decoded(indices):
    with refused("indices", indices):
        VOCABULARY.decode(indices)
    assert VOCABULARY.decode([]).shape == (0,)


def test_counts_are_integers():
    with refused("counts", ["a", "b"]):
        Vocabulary([1, 2], counts=["a", "b"])


@pytest.mark.parametrize("text", ["vocabulary.json", VOCABULARY])
def test_what_is_not_json_is_refused(text):
    with refused("text", text, says="not its path"):
        Vocabulary.from_json(text)


@pytest.mark.parametrize(
    "config", [5, {}, {"ids": [1]}, {"ids": [1], "counts": [1], "id_type": "x"}]
)
def test_what_does_not_describe_a_vocabulary_is_refused(config):
    with refused("config", config):
        Vocabulary.from_config(config)


@pytest.mark.parametrize(
    "argument, value",
    [
        ("num_users", "20"),
        ("num_items", 5.5),
        ("events_per_user", None),
        ("num_classes", "3"),
        ("noise", "a"),
        ("popularity", "a"),
        ("seed", 1.5),
    ],
)
def test_a_log_is_generated_from_numbers(argument, value):
    with refused(argument, value):
        synthetic(**{"num_users": 10, argument: value})
