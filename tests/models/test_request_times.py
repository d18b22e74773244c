"""`recommend` tells a model that reads times when the request is made."""

import datetime

import numpy as np
import pandas as pd
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.models.histories import read_histories

START = 1_600_000_000
ITEMS = [[3, 1, 4], [2], [5, 6]]
TIMES = [[START, START + 10, START + 70], [START], [START, START + 100]]
X = {"items": ITEMS, "timestamps": TIMES}


@pytest.fixture(scope="module")
def model():
    model = sr.HSTU(NUM_ITEMS, max_length=4, embedding_dim=8)
    model.stack.time_table.assign(np.tile(np.linspace(-9, 9, 129), (2, 1)))
    return model


def next_times(model, x, at=None):
    found = read_histories(model, x, at).inputs(slice(0, len(ITEMS)), 3)
    times = found["next_timestamps"]
    return np.where(times == 0, 0, times - START).tolist()


def test_a_request_is_one_median_gap_after_the_last_event(model):
    # The gaps of the first history are 10 and 60; the second has none.
    assert next_times(model, X) == [[10, 70, 70 + 35], [0, 0, 0], [0, 100, 200]]


@pytest.mark.parametrize(
    "at",
    [
        START + 500,
        START + 500.7,
        np.datetime64(START + 500, "s"),
        datetime.datetime.fromtimestamp(START + 500, datetime.UTC),
        pd.Timestamp(START + 500, unit="s"),
        [START + 500] * 3,
        pd.Series(pd.to_datetime([START + 500] * 3, unit="s")),
        pd.Series([START + 500] * 3, dtype=object),
    ],
)
def test_a_request_has_a_time_in_many_forms(model, at):
    assert next_times(model, X, at) == [[10, 70, 500], [0, 0, 500], [0, 100, 500]]


def test_each_history_may_have_its_own_request(model):
    at = START + np.array([80, 90, 100])
    assert [row[-1] for row in next_times(model, X, at)] == [80, 90, 100]


def test_times_may_be_datetimes(model):
    dates = [[np.datetime64(time, "s") for time in row] for row in TIMES]
    assert next_times(model, {**X, "timestamps": dates}) == next_times(model, X)
    x = {
        "items": np.array([[0, 1, 2]]),
        "timestamps": np.array([[0, START, START + 9]]),
    }
    dates = x["timestamps"].astype("datetime64[s]")
    _, scores = model.recommend(x, k=2)
    np.testing.assert_array_equal(
        model.recommend({**x, "timestamps": dates}, k=2)[1], scores
    )


def test_unknown_items_take_their_times_with_them(model):
    x = {
        "items": [[3, 99, 1, 4], [2], [5, 6]],
        "timestamps": [[START, START + 5, START + 10, START + 70], *TIMES[1:]],
    }
    with pytest.warns(sr.errors.StackRecWarning, match="does not know"):
        assert next_times(model, x) == next_times(model, X)


@pytest.mark.every_backend
def test_the_time_of_the_request_counts(model):
    _, soon = model.recommend(X, k=3, at=START + 100)
    _, late = model.recommend(X, k=3, at=START + 9_000_000)
    assert np.abs(soon - late).max() > 1e-5
    following = [
        [START + 10, START + 70, START + 100],
        [START + 100],
        [START + 100] * 2,
    ]
    _, scores = model.recommend({**X, "next_timestamps": following}, k=3)
    np.testing.assert_allclose(scores, soon, atol=1e-6)


def test_a_time_without_a_meaning_is_refused(model):
    fix = "Leave later events out of the history"
    with refused(
        "at",
        says=f"before the last event of history 2 .1600000080 <.*{fix}",
    ):
        model.recommend(X, at=START + 80)
    with refused("at", says="cannot be given together with x.'next_timestamps'."):
        model.recommend({**X, "next_timestamps": TIMES}, at=START + 500)
    with refused("at", received=5, says="which this model does not read"):
        sr.SASRec(NUM_ITEMS, 4).recommend(ITEMS, at=5)
    with refused("at", says="or one for each of the 3 histories, but its shape is .2,"):
        model.recommend(X, at=[START + 500] * 2)
    for at in ("soon", True, [pd.Timestamp(START + 500, unit="s"), START + 500, 7]):
        with refused("at", received=at, says="must be a time"):
            model.recommend(X, at=at)
    with refused("at", says="must be finite"):
        model.recommend(X, at=float("nan"))
    with refused("at", says="Divide milliseconds by 1000"):
        model.recommend(X, at=START * 1000)


def test_histories_need_a_time_for_each_item(model):
    with refused("x", says="lacks 'timestamps', the time of each event.*'timestamps'"):
        model.recommend(ITEMS)
    with refused("x['timestamps']", says="one time for each item"):
        model.recommend({"items": ITEMS, "timestamps": [START] * 3})


def test_times_that_are_not_in_order_are_warned_about(model):
    newest_first = [TIMES[0], TIMES[1], TIMES[2][::-1]]
    says = f"history 2 are not in order: {START} comes after {START + 100}"
    with pytest.warns(sr.errors.StackRecWarning, match=says):
        model.recommend({"items": ITEMS, "timestamps": newest_first}, at=START + 500)
