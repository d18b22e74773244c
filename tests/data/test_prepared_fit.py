"""A model learns from a prepared log as from the same log in memory."""

import keras
import numpy as np
import pytest
from test_prepared_log import a_log, write_parts

import stackrec_keras as sr
from stackrec_keras.data import (
    open_log,
    prepare_log,
    read_interactions,
    read_prepared,
    split_by_time,
)


@pytest.fixture
def splits(tmp_path):
    """The same split as files and in memory."""
    frame = a_log()
    log = open_log(write_parts(tmp_path / "log", frame), columns=["price"])
    prepare_log(log, tmp_path / "out", 6, "time", events_in_memory=120)
    in_memory = read_interactions(frame, columns=["price"])
    return read_prepared(tmp_path / "out"), split_by_time(in_memory, 6)


def fitted(split, epochs=(0, 3), model=None):
    """A model that grows and gets more data in the second of three epochs."""
    if model is None:
        keras.utils.set_random_seed(1)
        model = sr.NextItNet(split.num_items, embedding_dim=4, num_blocks=1)
        model.vocabulary = split.vocabulary
        model.compile()
    shares, partial = {0: 0.4, 1: 1.0}, epochs[1] < 3
    schedule = sr.StackingSchedule({1: 2}, data_shares=shares, partial=partial)
    model.fit(
        split.train.batches(32, seed=5),
        validation_data=split.validation.batches(64, evaluation=True),
        callbacks=[sr.StackingCallback("stackC", schedule)],
        initial_epoch=epochs[0],
        epochs=epochs[1],
        verbose=0,
    )
    return model


def assert_same_weights(model, other):
    for weight, expected in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


@pytest.mark.every_backend
def test_growing_on_a_fraction_of_it_gives_the_same_weights(splits):
    prepared, in_memory = map(fitted, splits)
    assert prepared.num_blocks == 2
    assert_same_weights(prepared, in_memory)


def test_a_resumed_fit_gives_the_same_weights(splits, tmp_path):
    prepared, in_memory = splits
    fitted(prepared, epochs=(0, 1)).save(tmp_path / "first.keras")
    model = keras.saving.load_model(tmp_path / "first.keras")
    assert_same_weights(fitted(prepared, (1, 3), model), fitted(in_memory))


@pytest.mark.parametrize("share_by", ["random", "time"])
@pytest.mark.parametrize("evaluation", [False, True])
def test_each_epoch_has_the_same_batches(splits, share_by, evaluation):
    features = ["items", "users", "next_price", "timestamps"]
    found, expected = (
        part.train.batches(
            32, seed=2, share_by=share_by, features=features, evaluation=evaluation
        )
        for part in splits
    )
    for epoch, share in [(0, 0.3), (1, 1.0), (7, 0.5)]:
        found.set_epoch(epoch, share)
        expected.set_epoch(epoch, share)
        assert len(found) == len(expected)
        for batch, other in zip(found, expected, strict=True):
            keras.tree.map_structure(np.testing.assert_array_equal, batch, other)


def test_evaluation_gives_the_same_results(splits):
    results = [
        sr.evaluation.final_results(fitted(part), part.test, 64, exclude_seen=True)
        for part in splits
    ]
    assert results[0] == results[1]
