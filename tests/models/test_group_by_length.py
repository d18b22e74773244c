"""Batches without most of their padding give what whole rows give."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.data import Batches, TransferPairs, Vocabulary, Windows

LENGTH, ROWS = 24, 40
MODELS = {
    "hstu": lambda length: sr.HSTU(NUM_ITEMS, length, 8, dropout=0.0),
    "esasrec": lambda length: sr.ESASRec(NUM_ITEMS, length, 8, dropout=0.0),
    "sasrec": lambda length: sr.SASRec(NUM_ITEMS, length, 8, padding_mask=True),
    "ssept": lambda length: sr.SSEPT(
        *(NUM_ITEMS, ROWS, length, 4, 4),
        **dict.fromkeys(("dropout", "user_noise", "item_noise"), 0.0),
        padding_mask=True,
    ),
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
        ("ssept", LENGTH),
    ],
)
def test_steps_and_evaluation_are_those_of_whole_rows(windows, name, length):
    model = compiled(MODELS[name], length)
    other = compiled(MODELS[name], length)
    arguments = {"features": model.features, "group_by_length": True}
    batches = windows.batches(16, **arguments)
    model.fit(batches, verbose=0)
    assert model.trained_length == length
    batches.set_epoch(0)
    for index in range(len(batches)):
        other.train_on_batch(*whole(*batches[index]))
    for weight, expected in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-6)

    evaluation = windows.batches(16, evaluation=True, **arguments)
    found = model.evaluate(evaluation, return_dict=True, verbose=0)
    arrays = windows.evaluation_arrays(model.features)
    expected = model.evaluate(*arrays, return_dict=True, verbose=0)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.every_backend
@pytest.mark.parametrize("loss", ["full_softmax", "gbce"])
def test_one_loss_is_taken_over_all_parts(windows, loss):
    batches = windows.batches(16, features=FEATURES, group_by_length=True)
    x, y = batches[0]
    weights = tuple(np.linspace(0, 1, len(part)) for part in y)
    steps = [(x, y, weights), (*whole(x, y), np.concatenate(weights))]
    found, expected = (
        compiled(MODELS["hstu"], loss=loss).train_on_batch(*step) for step in steps
    )
    assert len(x) == 3 and found == pytest.approx(expected, rel=1e-5)


def whole(x, y):
    """Joins parts and puts the padding back that they have lost."""
    full = [
        keras.tree.map_structure(
            lambda values, part=part: (
                values
                if values.ndim == 1
                else np.pad(values, ((0, 0), (part["offset"][0], 0)))
            ),
            (part, targets),
        )
        for part, targets in zip(x, y, strict=True)
    ]
    x, y = keras.tree.map_structure(lambda *parts: np.concatenate(parts), *full)
    del x["offset"]
    return (x if len(x) > 1 else x["items"]), y


def test_a_batch_with_an_unknown_item_is_refused(windows):
    model = compiled(MODELS["sasrec"])
    x, y = windows.batches(16, group_by_length=True)[0]
    x[-1]["items"][0, -1] = NUM_ITEMS + 1
    with refused("x", says="item ids"):
        model.train_on_batch(x, y)
    with refused("inputs", says="item ids"):
        model(x)


@pytest.mark.every_backend
def test_a_fit_grows_and_takes_more_rows_in_batches_of_one_shape(windows, monkeypatch):
    model = compiled(MODELS["sasrec"])
    shapes = set()
    monkeypatch.setattr(model, "compute_loss", noting(model.compute_loss, shapes))
    batches = windows.batches(8, seed=3, group_by_length=True)
    schedule = sr.StackingSchedule({2: 4}, data_shares={0: 0.2, 1: 0.4, 2: 1.0})
    callbacks = [sr.StackingCallback("stackC", schedule)]
    history = model.fit(batches, epochs=3, verbose=0, callbacks=callbacks).history
    assert history["num_blocks"] == [2, 2, 4]
    assert np.isfinite(history["loss"]).all()
    assert len(shapes) == 1


def noting(compute_loss, shapes):
    def noted(x, y, *rest, **more):
        shapes.add(tuple(tuple(part.shape) for part in y))
        return compute_loss(x, y, *rest, **more)

    return noted


def test_a_resumed_fit_takes_the_same_steps(windows):
    batches = windows.batches(16, group_by_length=True)
    model, other = (compiled(MODELS["esasrec"]) for _ in range(2))
    model.fit(batches, epochs=3, verbose=0)
    other.fit(batches, epochs=1, verbose=0)
    again = windows.batches(16, group_by_length=True)
    other.fit(again, initial_epoch=1, epochs=3, verbose=0)
    for weight, expected in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(weight, expected)


def test_a_transfer_model_learns_from_parts(windows):
    histories = windows.items[:, 1:]
    catalogues = [Vocabulary(np.arange(number)) for number in (NUM_ITEMS, 9)]
    targets = np.arange(ROWS) % 9 + 1
    pairs = TransferPairs(histories, np.arange(ROWS), targets, *catalogues)
    source = sr.ESASRec(NUM_ITEMS, LENGTH, 8, dropout=0.0)
    models = [sr.TransferRecommender(source, 9) for _ in range(2)]
    for model in models:
        model.output_table.set_weights(models[0].output_table.get_weights())
        model.compile(keras.optimizers.SGD(0.5))
    batches = Batches(pairs, ROWS, group_by_length=True)
    models[0].fit(batches, verbose=0)
    models[1].fit(histories, targets, batch_size=ROWS, verbose=0)
    for weight, expected in zip(*(model.get_weights() for model in models)):
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-6)


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


def test_several_devices_of_tensorflow_are_refused(windows):
    model = compiled(MODELS["sasrec"])
    model.distribute_strategy = SimpleNamespace(num_replicas_in_sync=2)
    with refused("group_by_length", says="2 devices"):
        model.fit(windows.batches(16, group_by_length=True))


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
