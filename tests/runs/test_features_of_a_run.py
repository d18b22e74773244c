"""Runs whose items have features: `--item-features FILE`."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from refusals import refused

import stackrec_keras as sr


def write_features(path, items):
    rows = [(f"film {i}", i % 2, i / 10) for i in range(items)]
    pd.DataFrame(rows, columns=["item", "odd", "size"]).to_csv(path, index=False)
    return str(path)


@pytest.fixture
def config(log_path, tmp_path):
    return sr.runs.TrainConfig(
        data=str(log_path),
        length=8,
        embedding_dim=8,
        num_blocks=1,
        batch_size=8,
        epochs=1,
        schedule="none",
        split="time",
        item_features=write_features(tmp_path / "features.csv", 14),
        id_dropout=0.5,
    )


def test_todays_new_items_bring_their_features(config, write_log, tmp_path):
    run = sr.runs.train(config, tmp_path / "monday")
    rows = run.model.item_features
    names = run.model.vocabulary.ids.tolist()
    assert rows[names.index("film 3")].tolist() == pytest.approx([1, 0.3])
    assert run.model.id_dropout == 0.5
    newer = pd.read_csv(write_log(tmp_path / "newer.csv", items=16, events=25))
    newer.to_csv(tmp_path / "newer.csv", index=False)
    options = {"data": str(tmp_path / "newer.csv"), "num_blocks": 1, "epochs": 1}
    with refused("item_features", says="lacks 2 of 2 items"):
        sr.runs.grow(tmp_path / "monday", **options)
    more = write_features(tmp_path / "more.csv", 16)
    grown = sr.runs.grow(tmp_path / "monday", **options, item_features=more)
    assert grown.model.num_items == 16 and grown.config.item_features == more
    np.testing.assert_array_equal(grown.model.item_features[:14], rows)
    assert grown.model.item_features[14:].tolist() == [
        pytest.approx([int(name[5:]) % 2, int(name[5:]) / 10])
        for name in grown.model.vocabulary.ids[14:]
    ]


@pytest.mark.parametrize(
    "changes, argument",
    [
        ({"item_features": None}, "id_dropout"),
        (
            {"item_features": None, "id_dropout": 0.0, "feature_fusion": "replace"},
            "feature_fusion",
        ),
        ({"feature_fusion": "replace"}, "id_dropout"),
        ({"feature_fusion": "sum"}, "feature_fusion"),
    ],
)
def test_options_that_do_not_go_together_are_refused(config, changes, argument):
    with refused(argument):
        sr.runs.train(replace(config, **changes))


def test_a_file_that_is_missing_is_found_before_the_log_is_read(config, tmp_path):
    options = {"data": str(tmp_path / "no.csv"), "item_features": "nowhere.csv"}
    with pytest.raises(FileNotFoundError, match="nowhere.csv"):
        sr.runs.train(replace(config, **options))


def test_a_run_that_continues_from_another_has_its_features(config, tmp_path):
    sr.runs.train(config, tmp_path / "first")
    without = {"item_features": None, "id_dropout": 0.0}
    later = replace(config, load_model=str(tmp_path / "first"), **without)
    with refused("item_features", says="does not fit the model in"):
        sr.runs.train(later)


def test_a_search_refuses_them_before_it_reads_the_log(config, tmp_path):
    train = sr.runs.TrainConfig(
        data=str(tmp_path / "no.csv"), item_features=config.item_features
    )
    with refused("item_features", says="search"):
        sr.experiments.tune(sr.experiments.TuneConfig(train), tmp_path / "out")
