"""The benchmark of cold items, on a small log."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pytest import MonkeyPatch

PATH = Path(__file__).parents[2] / "benchmarks" / "cold_items.py"


@pytest.fixture
def cold_items(monkeypatch: MonkeyPatch):
    monkeypatch.syspath_prepend(PATH.parent)
    spec = importlib.util.spec_from_file_location("cold_items", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def data(cold_items):
    rng = np.random.default_rng(0)
    items = [f"film {i:02d}" for i in range(20)]
    rows = [(u, items[rng.integers(20)], t) for u in range(60) for t in range(8)]
    log = pd.DataFrame(rows, columns=["user", "item", "timestamp"])
    genres = pd.DataFrame({"odd": [i % 2 for i in range(20)]}, items)
    return cold_items.ColdItems(log, genres, seed=0)


def test_nothing_of_a_cold_item_is_trained_on(data):
    assert len(data.cold) == 2 and len(data.vocabulary) == 18
    known = {*data.vocabulary.ids, *(raw for row in data.histories for raw in row)}
    assert not known & {*data.cold}
    assert data.targets.isin(data.cold).any()
    assert max(map(len, data.histories)) < 8  # the last event is only a target


def test_rows_are_told_apart_by_their_target(cold_items, data):
    vocabulary = data.vocabulary.extended([*data.vocabulary.ids, *data.cold])
    targets = vocabulary.encode(data.targets)
    is_cold = data.targets.isin(data.cold).to_numpy()
    scores = np.zeros((len(targets), 21), "float32")
    scores[:, 0] = -np.inf
    scores[np.arange(len(targets)), targets] = np.where(is_cold, 1, -1)
    data.histories = data.histories.map(lambda row: [])
    found = cold_items.results(data, vocabulary, scores)
    assert (found["cold_ndcg"], found["warm_ndcg"]) == (1, 0)
    assert found["among_cold_ndcg"] == found["cold_hit_rate"] == 1
    assert found["cold_rows"] == is_cold.sum()
