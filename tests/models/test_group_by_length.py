"""Batches cut to their longest row give what whole rows give."""

import keras
import numpy as np
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.data import Windows

LENGTH, ROWS = 24, 40
MODELS = {
    "hstu": lambda length: sr.HSTU(NUM_ITEMS, length, 8, dropout=0.0),
    "esasrec": lambda length: sr.ESASRec(NUM_ITEMS, length, 8, dropout=0.0),
    "sasrec": lambda length: sr.SASRec(NUM_ITEMS, length, 8, padding_mask=True),
}
FEATURES = ["items", "timestamps", "next_timestamps"]


@pytest.fixture(scope="module")
def windows():
    rng = np.random.default_rng(0)
    items = rng.integers(1, NUM_ITEMS + 1, (ROWS, LENGTH + 1)).astype("int32")
    lengths = rng.integers(2, LENGTH + 2, ROWS)
    items[np.arange(LENGTH + 1) < LENGTH + 1 - lengths[:, None]] = 0
    times = 1_600_000_000 + np.cumsum(rng.integers(0, 99_999, items.shape), axis=1)
    users = np.arange(ROWS, dtype="int32")
    return Windows(items, users, columns={"timestamps": np.where(items, times, 0)})


def compiled(build, length=LENGTH, **arguments):
    keras.utils.set_random_seed(0)
    model = build(length)
    optimizer = keras.optimizers.SGD(0.5)
    model.compile(optimizer, exclude_seen=True, **arguments)
    return model


@pytest.mark.parametrize(
    "name, length",
    [
        pytest.param("hstu", 14, marks=pytest.mark.every_backend),
        ("hstu", LENGTH),
        ("esasrec", LENGTH),
        ("sasrec", 14),
    ],
)
def test_steps_and_evaluation_are_those_of_whole_rows(windows, name, length):
    model = compiled(MODELS[name], length)
    other = compiled(MODELS[name], length)
    arguments = {"features": model.features, "group_by_length": True}
    batches = windows.batches(20, **arguments)
    model.fit(batches, verbose=0)
    assert model.trained_length == length
    batches.set_epoch(0)
    for index in range(len(batches)):
        other.train_on_batch(*whole(*batches[index]))
    for weight, expected in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-6)

    evaluation = windows.batches(20, evaluation=True, **arguments)
    found = model.evaluate(evaluation, return_dict=True, verbose=0)
    arrays = windows.evaluation_arrays(model.features)
    expected = model.evaluate(*arrays, return_dict=True, verbose=0)
    assert found == pytest.approx(expected, rel=1e-5)


def whole(x, y):
    """Puts the padding back that a batch has lost."""
    offset = x.pop("offset")[0]
    x, y = keras.tree.map_structure(
        lambda values: np.pad(values, ((0, 0), (offset, 0))), (x, y)
    )
    return (x if len(x) > 1 else x["items"]), y


def test_a_fit_grows_and_takes_more_rows(windows):
    model = compiled(MODELS["sasrec"])
    batches = windows.batches(10, group_by_length=True)
    schedule = sr.StackingSchedule({2: 4}, data_shares={0: 0.2, 1: 1.0})
    callbacks = [sr.StackingCallback("stackC", schedule)]
    history = model.fit(batches, epochs=3, verbose=0, callbacks=callbacks).history
    assert history["num_blocks"] == [2, 2, 4]
    assert np.isfinite(history["loss"]).all()


@pytest.mark.parametrize(
    "model", [sr.NextItNet(NUM_ITEMS, 8, 1), sr.SASRec(NUM_ITEMS, LENGTH, 8)]
)
def test_a_model_that_reads_padding_is_refused(windows, model):
    model.compile()
    before = model.get_weights()
    with refused("group_by_length", received=True):
        model.fit(windows.batches(20, group_by_length=True))
    with refused("group_by_length", received=True):
        model.evaluate(windows.batches(20, evaluation=True, group_by_length=True))
    assert all(np.array_equal(*pair) for pair in zip(before, model.get_weights()))


def test_predictions_must_be_in_the_order_of_the_rows(windows):
    batches = windows.batches(20, evaluation=True, group_by_length=True)
    with refused("x", received=batches):
        compiled(MODELS["esasrec"]).predict(batches)


def test_a_transfer_model_ignores_padding_if_its_source_does():
    for source, ignores in (
        (sr.ESASRec(NUM_ITEMS, LENGTH, 8), True),
        (sr.SASRec(NUM_ITEMS, LENGTH, 8), False),
    ):
        assert sr.TransferRecommender(source, 9).ignores_padding is ignores


@pytest.mark.parametrize("options", [{}, {"model": "sasrec"}])
def test_a_run_is_refused_before_it_reads_its_log(tmp_path, options):
    config = sr.runs.TrainConfig("nowhere.csv", group_by_length=True, **options)
    with refused("group_by_length", received=True):
        sr.runs.train(config, tmp_path / "run")


def test_a_run_groups_its_rows(log_path, tmp_path):
    options = {"length": 18, "epochs": 1, "batch_size": 8, "schedule": "none"}
    config = sr.runs.TrainConfig(
        str(log_path), model="esasrec", group_by_length=True, **options
    )
    run = sr.runs.train(config, tmp_path / "run")
    assert run.model.trained_length == 17
    again = sr.runs.evaluate(tmp_path / "run")
    title = sr.evaluation.model_title(run.model)
    assert again.results[title] == pytest.approx(run.results[title], rel=1e-5)
