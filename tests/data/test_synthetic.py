import numpy as np
import pandas as pd
import pytest
from refusals import refused

from stackrec_keras.data import read_interactions, synthetic


def test_the_log_is_sorted_and_has_the_sizes_asked_for():
    log = synthetic(num_users=7, num_items=50, events_per_user=20)
    assert len(log) == 140
    assert sorted(log["user"].unique()) == list(range(1, 8))
    assert log["item"].between(1, 50).all()
    pd.testing.assert_frame_equal(log, read_interactions(log))


def test_the_log_depends_on_its_seed_alone():
    pd.testing.assert_frame_equal(synthetic(20, seed=1), synthetic(20, seed=1))
    assert not synthetic(20, seed=1).equals(synthetic(20, seed=2))


def share_predicted(lags, log, num_items):
    """Hit rate at 1 of a table from the items at `lags` back to the next item."""
    events = log.groupby("user").size().iloc[0]
    items = log["item"].to_numpy().reshape(-1, events)
    target = items[:, 12:].ravel()
    key = np.zeros(target.shape, np.int64)
    for lag in lags:
        key = key * (num_items + 1) + items[:, 12 - lag : events - lag].ravel()
    seen = pd.DataFrame({"key": key, "target": target})
    counts = seen.value_counts().reset_index()
    return counts.groupby("key")["count"].max().sum() / len(target)


def test_the_next_item_needs_all_of_the_items_1_4_and_12_back():
    log = synthetic(num_users=10_000, num_items=20, noise=0.1)
    whole = share_predicted((1, 4, 12), log, 20)
    assert whole > 0.88
    for lags in [(1,), (1, 4), (1, 12), (4, 12), (1, 2, 3)]:
        assert share_predicted(lags, log, 20) < whole - 0.3


def test_without_noise_the_items_back_settle_the_next_one():
    log = synthetic(num_users=2000, num_items=8, num_classes=2, noise=0.0)
    assert share_predicted((1, 4, 12), log, 8) == 1.0


def test_popularity_is_skewed_unless_told_otherwise():
    def top_tenth(**settings):
        log = synthetic(num_users=3000, num_items=100, **settings)
        counts = log["item"].value_counts()
        return counts.iloc[:10].sum() / counts.sum()

    assert top_tenth() > 0.3
    assert top_tenth(noise=1.0, popularity=0.0) < 0.12


@pytest.mark.parametrize(
    "argument, value",
    [
        ("num_users", 0),
        ("num_items", 1),
        ("events_per_user", 0),
        ("num_classes", 0),
        ("noise", 1.5),
    ],
)
def test_arguments_out_of_range_are_refused(argument, value):
    with refused(argument, value):
        synthetic(**{argument: value})


def test_short_histories_are_drawn_by_popularity():
    assert len(synthetic(num_users=5, events_per_user=3)) == 15
