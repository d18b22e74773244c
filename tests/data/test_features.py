from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
from refusals import refused

from stackrec_keras.data import (
    Batches,
    TransferPairs,
    Vocabulary,
    Windows,
    make_windows,
    read_interactions,
    split_by_time,
    split_leave_one_out,
    split_random,
    synthetic,
)
from stackrec_keras.data.event_columns import EventColumns
from stackrec_keras.data.full_batches import FullBatches

NAMES = ["items", "users", "timestamps", "next_timestamps", "price", "next_price"]


def priced_log(users=30, events=9, **more):
    """Each event has an item of its own, at a time of its own, ten times as dear."""
    number = np.arange(users * events)
    log = {"user": number // events, "item": number + 1, "timestamp": 100 + number}
    log = read_interactions(log)
    return log.assign(price=(number + 1) * 10, **more)


def windows_of(log, length=4, **sizes):
    return make_windows(log, Vocabulary(np.arange(1, 1000)), length, **sizes)


def assert_features_belong_to_items(part):
    """Asserts what `priced_log` says of each event, at inputs and at targets."""
    x, y = part.arrays(NAMES)
    for items, prefix in ((x["items"], ""), (y, "next_")):
        real = x["items"] > 0
        price, time = x[f"{prefix}price"], x[f"{prefix}timestamps"]
        assert (price[real] == 10 * items[real]).all()
        assert (time[real] == 99 + items[real]).all()
        assert not price[~real].any() and not time[~real].any()


# Names and shapes


def test_a_row_offers_each_column_at_its_inputs_and_at_its_targets():
    windows = windows_of(priced_log(users=1, events=3))
    assert windows.feature_names == NAMES
    x, y = windows.arrays(NAMES)
    assert {name: values.tolist() for name, values in x.items()} == {
        "items": [[0, 1, 2]],
        "users": [0],
        "timestamps": [[0, 100, 101]],
        "next_timestamps": [[0, 101, 102]],
        "price": [[0, 10, 20]],
        "next_price": [[0, 20, 30]],
    }
    assert y.tolist() == [[0, 2, 3]]
    last, target = windows.evaluation_arrays(NAMES)
    assert target.tolist() == [3]
    for name, values in x.items():
        assert np.array_equal(last[name], values)
    assert x["timestamps"].dtype == np.int64


def test_a_row_without_inputs_has_no_values():
    windows = windows_of(priced_log(users=1, events=1), min_items=1)
    x, _ = windows.arrays(NAMES)
    assert not x["price"].any() and not x["next_price"].any()


@pytest.mark.parametrize("features", [None, ["items"], ("items",)])
def test_items_by_themselves_are_a_plain_array(features):
    windows = windows_of(priced_log())
    for to_arrays in (windows.arrays, windows.evaluation_arrays):
        assert np.array_equal(to_arrays(features)[0], windows.inputs)
    assert isinstance(windows.batches(4, features=features)[0][0], np.ndarray)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.float32, np.float64])
def test_columns_keep_their_type(dtype):
    log = priced_log(users=2, events=3)
    log["price"] = log["price"].to_numpy().astype(dtype)
    x, _ = windows_of(log).arrays(["price", "next_price"])
    assert x["price"].dtype == x["next_price"].dtype == dtype


def test_a_value_that_is_infinite_does_not_spill_into_the_padding():
    log = priced_log(users=1, events=2).assign(price=np.inf)
    x, _ = windows_of(log).arrays(["price"])
    assert x["price"].tolist() == [[0, 0, np.inf]]


@pytest.mark.parametrize(
    "times, expected",
    [
        (["2020-01-01 00:00:01.9", "2020-01-01 00:00:02"], [1577836801, 1577836802]),
        ([-0.5, 3.9], [-1, 3]),
        (np.array([7, 8], np.uint32), [7, 8]),
    ],
)
def test_timestamps_are_whole_seconds(times, expected):
    log = read_interactions({"user": [1, 1], "item": [1, 2], "timestamp": times})
    x, _ = windows_of(log, 2).arrays(["timestamps", "next_timestamps"])
    assert [x["timestamps"].item(), x["next_timestamps"].item()] == expected


def test_further_columns_of_dates_are_seconds():
    log = priced_log(users=1, events=2, day=pd.to_datetime(["2020-01-01"] * 2))
    x, _ = windows_of(log, 2).arrays(["day"])
    assert x["day"].tolist() == [[1577836800]]


def test_events_that_are_left_out_take_their_values_with_them():
    log = priced_log(users=1, events=4)
    with pytest.warns(UserWarning, match="left out"):
        windows = make_windows(log, Vocabulary([1, 2, 4]), 3)
    x, _ = windows.arrays(["price", "next_price"])
    assert x["price"].tolist() == [[10, 20]]
    assert x["next_price"].tolist() == [[20, 40]]


# What makes windows of a log, or of windows


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_windows_that_overlap_have_the_values_of_their_own_events(stride):
    windows = windows_of(priced_log(events=11), stride=stride)
    assert len(windows) > 30
    assert_features_belong_to_items(windows)


@pytest.mark.parametrize("rows", [slice(3, 9), [5, 1], np.arange(60) % 3 == 0])
def test_a_subset_keeps_the_values_of_its_rows(rows):
    part = windows_of(priced_log()).subset(rows)
    assert_features_belong_to_items(part)
    assert_features_belong_to_items(part.subset(slice(1, None)))


@pytest.mark.parametrize(
    "split",
    [
        lambda log: split_random(windows_of(log)),
        lambda log: split_random(windows_of(log, stride=1)),
        lambda log: split_leave_one_out(log, Vocabulary.from_items(log["item"]), 4),
    ],
    ids=["random rows", "random users", "leave one out"],
)
def test_splits_keep_the_values_of_their_rows(split):
    split = split(priced_log())
    for part in (split.train, split.validation, split.test):
        assert len(part) > 5
        assert_features_belong_to_items(part)


def test_a_split_by_time_keeps_values_also_where_events_share_a_time():
    users, items = np.repeat([1, 2], 6), [1, 2, 3, 1, 2, 3] * 2
    times = [1, 2, 3, 4, 4, 5, 1, 1, 2, 3, 4, 5]
    log = {"user": users, "item": items, "timestamp": times}
    log = read_interactions(log).assign(price=np.arange(12) + 1)
    split = split_by_time(log, 4, validation_start=4, test_start=5)
    x, y = split.validation.evaluation_arrays(NAMES)
    # The second event at time 4 does not see the first one.
    assert x["price"].tolist() == [[1, 2, 3], [1, 2, 3], [8, 9, 10]]
    assert x["next_price"].tolist() == [[2, 3, 4], [2, 3, 5], [9, 10, 11]]
    assert x["next_timestamps"].tolist() == [[2, 3, 4], [2, 3, 4], [2, 3, 4]]
    assert y.tolist() == [1, 2, 2]
    train, _ = split.train.arrays(["price"])
    assert train["price"].tolist() == [[0, 1, 2], [7, 8, 9]]


# Memory


def test_values_are_held_once_per_event_until_a_batch_asks():
    log = priced_log(users=2, events=50)
    windows = windows_of(log, length=40, stride=1)
    part = windows.subset(slice(3, None))
    for rows in (windows, part):
        assert isinstance(rows.columns, EventColumns)
        assert rows.columns.events is windows.columns.events
        arrays = [rows.columns.begins, rows.columns.ends, rows.columns.targets]
        assert all(array.shape == (len(rows),) for array in arrays)
    held = windows.columns.events["price"]
    assert np.shares_memory(held, log["price"].to_numpy())
    assert part.columns["price"].shape == (len(part), 40)


def test_a_batch_cuts_its_own_rows_and_features(monkeypatch):
    batches = windows_of(priced_log()).batches(8, features=["items", "price"])
    cut, cut_rows = [], EventColumns.cut
    monkeypatch.setattr(
        EventColumns,
        "cut",
        lambda self, values: cut.append(len(self.targets)) or cut_rows(self, values),
    )
    batches[0]
    assert cut == [8]


# Batches


@pytest.mark.parametrize("arguments", [{}, {"shuffle": False}, {"share_by": "time"}])
def test_batches_have_the_features_of_their_rows_in_the_same_order(arguments):
    windows = windows_of(priced_log(), stride=3)
    plain = windows.batches(8, seed=5, **arguments)
    named = windows.batches(8, seed=5, features=NAMES, **arguments)
    assert named.features == tuple(NAMES)
    for epoch, share in ((0, 1.0), (3, 0.4)):
        plain.set_epoch(epoch, share)
        named.set_epoch(epoch, share)
        assert len(plain) == len(named)
        for (x, y), (features, targets) in zip(plain, named, strict=True):
            assert list(features) == NAMES
            assert np.array_equal(features["items"], x)
            assert np.array_equal(targets, y)
            real = x > 0
            assert (features["price"][real] == 10 * x[real]).all()
            assert (features["next_price"][real] == 10 * y[real]).all()


def test_evaluation_batches_have_the_features_of_their_rows():
    windows = windows_of(priced_log())
    batches = windows.batches(8, evaluation=True, features=NAMES)
    whole, _ = windows.evaluation_arrays(NAMES)
    for name in NAMES:
        cut = np.concatenate([x[name] for x, _ in batches])
        assert np.array_equal(cut, whole[name])


def test_full_batches_fill_up_every_feature():
    batches = windows_of(priced_log(), stride=3).batches(8, features=NAMES)
    full = FullBatches(batches)
    last = full.num_batches - 1
    rows = len(batches[last][1])
    assert 0 < rows < 8
    x, _ = full[last]
    for name, values in x.items():
        assert len(values) == 8
        assert np.array_equal(values[:rows], batches[last][0][name])
        assert not values[rows:].any()


@pytest.mark.every_backend
def test_a_model_of_keras_takes_a_price_beside_the_items():
    windows = windows_of(priced_log(users=8))
    items = keras.Input((3,), dtype="int32", name="items")
    price = keras.Input((3,), name="price")
    hidden = keras.layers.Embedding(80, 4)(items)
    hidden += keras.layers.Dense(4)(keras.ops.expand_dims(price, -1))
    model = keras.Model(
        {"items": items, "price": price}, keras.layers.Dense(80)(hidden)
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(windows.batches(8, features=["items", "price"]), verbose=0)
    assert np.isfinite(history.history["loss"][0])


# What may be asked for


def test_with_users_is_short_for_items_and_users():
    windows = windows_of(priced_log())
    for arguments in (
        {"with_users": True},
        {"features": ["items", "users"]},
        {"with_users": True, "features": ["users", "items"]},
    ):
        batches = windows.batches(8, **arguments)
        assert set(batches.features) == {"items", "users"}
        assert batches.with_users
    assert not windows.batches(8, features=["items", "price"]).with_users


@pytest.mark.parametrize(
    "features", ["items", 3, [], ["items", "items"], ["items", "prise"], [3]]
)
def test_features_are_names_that_there_are(features):
    windows = windows_of(priced_log())
    for call in (windows.arrays, windows.evaluation_arrays):
        with refused("features", received=features):
            call(features)
    with refused("features", received=features):
        windows.batches(8, features=features)


def test_a_misspelt_feature_is_asked_after_and_those_there_are_are_listed():
    with refused("features", says="'next_price'.* Did you mean 'price'?"):
        windows_of(priced_log()).batches(8, features=["items", "prise"])


def test_two_ways_to_say_different_features_are_refused():
    with refused("features", received=["items", "price"]):
        windows_of(priced_log()).batches(
            8, with_users=True, features=["items", "price"]
        )


def test_columns_of_text_or_with_missing_values_are_no_features():
    log = priced_log(users=1, events=3)
    log = log.assign(price=[1.0, np.nan, 2.0], kind=["a", "b", "c"], next_day=3)
    assert windows_of(log).feature_names == NAMES[:4]


def test_transfer_pairs_offer_items_and_users():
    ids = Vocabulary([5, 6, 7])
    rows = np.array([[0, 1], [2, 3]], np.int32)
    pairs = TransferPairs(rows, np.array([1, 0]), np.array([1, 2]), ids, ids)
    assert pairs.feature_names == ["items", "users"]
    x, y = pairs.arrays(["items", "users"])
    assert x["items"].tolist() == [[2, 3], [0, 1]]
    assert x["users"].tolist() == [1, 0]
    assert pairs.batches(2, features=["users"]).features == ("users",)
    with refused("features"):
        pairs.batches(2, features=["items", "timestamps"])


# Windows made by hand


def test_windows_made_by_hand_take_arrays_as_columns():
    items = np.array([[0, 1, 2], [3, 1, 2]], np.int32)
    price = np.array([[9, 10, 20], [30, 10, 20]])
    windows = Windows(items, np.arange(2), columns={"price": price})
    x, _ = windows.arrays(["price", "next_price"])
    assert x["price"].tolist() == [[0, 10], [30, 10]]
    assert x["next_price"].tolist() == [[0, 20], [10, 20]]
    part = windows.subset([1]).batches(1, features=["price"])
    assert part[0][0]["price"].tolist() == [[30, 10]]


@pytest.mark.parametrize(
    "columns, argument",
    [
        ([1], "columns"),
        ({"items": np.ones((2, 3))}, "columns"),
        ({"next_day": np.ones((2, 3))}, "columns"),
        ({3: np.ones((2, 3))}, "columns"),
        ({"price": np.ones((2, 2))}, "columns['price']"),
        ({"price": [[1, 2, 3]] * 2}, "columns['price']"),
        ({"price": np.full((2, 3), "a")}, "columns['price']"),
    ],
)
def test_columns_made_by_hand_are_numbers_along_the_items(columns, argument):
    with refused(argument):
        Windows(np.ones((2, 3), np.int32), np.arange(2), columns=columns)


def test_batches_are_made_of_rows():
    with refused("windows"):
        Batches({"items": np.ones((2, 3))})


def test_windows_made_by_hand_may_have_times():
    times = np.arange(6).reshape(2, 3)
    columns = {"timestamps": times}
    windows = Windows(np.ones((2, 3), np.int32), np.arange(2), columns=columns)
    np.testing.assert_array_equal(windows.feature("next_timestamps"), times[:, 1:])


def test_columns_of_other_rows_are_refused():
    log = synthetic(num_users=4, num_items=9)
    windows = make_windows(log, Vocabulary.from_items(log["item"]), length=4)
    with refused("columns"):
        replace(windows, items=windows.items[:2], users=windows.users[:2])


def test_a_log_without_times_has_no_feature_of_them():
    log = read_interactions(
        {"user": [1, 1, 1, 2, 2, 2], "item": [1, 2, 3, 3, 2, 1]}, timestamp=None
    )
    for each in (log, read_interactions(log), log[log["user"] == 1]):
        windows = windows_of(each)
        assert windows.feature_names == ["items", "users"]
        with refused("features", says="read with a column of times.*time_bias=False"):
            windows.batches(2, features=["items", "timestamps", "next_timestamps"])
    timed = read_interactions(
        log.rename(columns={"timestamp": "when"}), timestamp="when"
    )
    assert "timestamps" in windows_of(timed).feature_names
