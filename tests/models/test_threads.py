"""Threads that share a model, as those of a web server do."""

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

import stackrec_keras as sr

NUM_ITEMS = 30


def _sasrec():
    return sr.SASRec(NUM_ITEMS, 6, 8, 2)


def _grec():
    return sr.GRec(NUM_ITEMS, embedding_dim=8, num_blocks=2)


@pytest.fixture(params=[pytest.param(_sasrec, marks=pytest.mark.every_backend), _grec])
def model(request):
    keras.utils.set_random_seed(0)
    model = request.param()
    model.compile(keras.optimizers.Adam(0.01))
    return model


@pytest.fixture
def rows():
    starts = np.random.default_rng(0).integers(NUM_ITEMS, size=(64, 1))
    items = (starts + np.arange(7)) % NUM_ITEMS + 1
    return sr.data.Windows(items.astype("int32"), np.arange(64, dtype="int32"))


def test_eight_threads_get_what_one_gets(model, rows):
    x, y = rows.arrays()
    calls = {
        "predict": lambda: model.predict(x, verbose=0),
        "score": lambda: keras.ops.convert_to_numpy(model.score(x)),
        "recommend": lambda: model.recommend(x, 3)[1],
        "on_batch": lambda: keras.ops.convert_to_numpy(model.predict_on_batch(x)),
    }
    expected = {name: call() for name, call in calls.items()}
    with ThreadPoolExecutor(8) as pool:
        found = [
            (name, pool.submit(call)) for _ in range(8) for name, call in calls.items()
        ]
    for name, future in found:
        np.testing.assert_allclose(future.result(), expected[name], rtol=1e-4)


def test_threads_that_evaluate_in_two_ways_get_the_figures_of_each(model, rows):
    """Half of the targets are items of their history, which one way leaves out."""
    x, y = rows.evaluation_arrays()
    y = np.where(np.arange(len(y)) % 2, x[:, -2], y)
    ways = (True, False)

    def evaluate(exclude_seen):
        return model.evaluate(
            x, y, batch_size=8, exclude_seen=exclude_seen, verbose=0, return_dict=True
        )

    expected = [evaluate(way) for way in ways]
    assert expected[0]["mrr@10"] != expected[1]["mrr@10"]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(evaluate, ways * 4))
    for figures, of_one in zip(found, expected * 4):
        assert figures == pytest.approx(of_one, rel=1e-4)


def test_recommend_beside_a_fit_that_grows(model, rows):
    """No error on either side, and the fit learns what it learns by itself."""
    twin = type(model).from_config(model.get_config())
    twin.set_weights(model.get_weights())
    twin.compile(keras.optimizers.Adam(0.01))
    for each in (model, twin):
        each.seed_generator.state.assign([1, 0])
    x = rows.inputs[:8]
    stopped, served, errors = threading.Event(), [0], []

    def serve():
        while not stopped.is_set():
            try:
                _, scores = model.recommend(x, 3)
                assert scores.shape == (8, 3) and np.isfinite(scores).all()
                served[0] += 1
            except Exception as error:
                errors.append(error)
                raise

    def fit(each):
        growing = sr.StackingCallback("stackC", {2: 4})
        return each.fit(
            rows.batches(16), epochs=4, callbacks=[growing], verbose=0
        ).history

    model.recommend(x, 3)
    servers = [threading.Thread(target=serve) for _ in range(2)]
    for server in servers:
        server.start()
    try:
        history = fit(model)
    finally:
        stopped.set()
        for server in servers:
            server.join()
    assert not errors and served[0] > 0
    assert history["num_blocks"] == [2, 2, 4, 4]
    np.testing.assert_allclose(history["loss"], fit(twin)["loss"], rtol=1e-3)


def test_a_growth_beside_recommend_does_not_look_at_the_objects_of_threads(
    model, rows, monkeypatch
):
    """Python cannot finish a tuple that another thread has found half built."""
    monkeypatch.setattr(gc, "get_objects", lambda: pytest.fail("looked at all objects"))
    model.recommend(rows.inputs[:8], 3)
    model.fit(rows.batches(16), epochs=1, verbose=0)
    model.grow("stackC")


def test_an_evaluation_may_change_weights_while_another_waits(model, rows):
    if keras.backend.backend() == "jax":
        pytest.skip("an evaluation has the model alone")
    x, y = rows.evaluation_arrays()
    model.evaluate(x, y, verbose=0)
    other = threading.Thread(
        target=model.evaluate, args=(x, y), kwargs={"verbose": 0}, daemon=True
    )

    class Restores(keras.callbacks.Callback):
        def on_test_begin(self, logs=None):
            other.start()
            time.sleep(0.3)  # the other waits for its turn
            model.set_weights(model.get_weights())

    done = threading.Thread(
        target=lambda: model.evaluate(x, y, verbose=0, callbacks=[Restores()]),
        daemon=True,
    )
    done.start()
    done.join(60)
    assert not done.is_alive()
    other.join(60)
