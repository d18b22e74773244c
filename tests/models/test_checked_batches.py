import importlib
import pickle
import sys

import keras
import numpy as np
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.layers import Embedding
from stackrec_keras.models.checked_batches import CheckedData
from stackrec_keras.models.checked_inputs import check_batch

NUM_USERS = 5
UNKNOWN = NUM_ITEMS + 100
_ON_JAX = keras.backend.backend() == "jax"


def _rows(data, rows):
    return keras.tree.map_structure(lambda values: values[rows], data)


def _slices(data):
    return [_rows(data, slice(i, i + 4)) for i in range(0, _number(data), 4)]


def _number(data):
    return len(keras.tree.flatten(data)[0])


class _Dataset(keras.utils.PyDataset):
    def __init__(self, data, **kwargs):
        super().__init__(**kwargs)
        self.batches = _slices(data)

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def _generator(data):
    yield from _slices(data)


def _pipeline(data):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices(data).batch(4)


def _loader(data):
    torch = pytest.importorskip("torch")
    rows = [_rows(data, i) for i in range(_number(data))]
    return torch.utils.data.DataLoader(rows, batch_size=4)


FORMS = {
    "generator": _generator,
    "PyDataset": _Dataset,
    "PyDataset of two threads": lambda data: _Dataset(data, workers=2),
    "DataLoader": _loader,
    "tf.data": _pipeline,
}


@pytest.fixture(params=FORMS)
def form(request):
    if request.param == "tf.data" and "torch" not in sys.modules:
        importlib.import_module("torch")  # TensorFlow first can crash it
    return FORMS[request.param]


@pytest.fixture(scope="module")
def model():
    """One model for all forms: JAX compiles its steps once."""
    model = sr.SSEPT(NUM_ITEMS, NUM_USERS, 10, item_dim=4, user_dim=4, num_blocks=1)
    # Tracing a few steps takes TensorFlow longer than to run them.
    model.compile(metrics="mrr@5", run_eagerly=keras.backend.backend() == "tensorflow")
    return model


@pytest.fixture
def data(sequences):
    items, y = (part[:8].copy() for part in sequences)
    return {"items": items, "users": np.arange(8) % NUM_USERS}, y, y[:, -1].copy()


def _is_finite(model):
    return all(np.isfinite(weight).all() for weight in model.get_weights())


def test_unknown_ids_are_refused_in_whatever_yields_batches(model, data, form):
    x, y, last = data
    unknown = {**x, "items": x["items"].copy()}
    unknown["items"][1, 2] = UNKNOWN
    found = f"item ids from 1 to {UNKNOWN}, but this model knows 1 to 30.*extend"
    with refused("x: x", says=found):
        model.fit(form((unknown, y)), verbose=0)
    with refused("validation_data: x", says=found):
        model.fit(x, y, validation_data=form((unknown, last)), verbose=0)
    with refused("x: x", says=found):
        model.evaluate(form((unknown, last)), verbose=0)
    with refused("x: x", says=found):
        model.predict(form((unknown,)), verbose=0)
    targets = y.copy()
    targets[1, 2] = -3
    with refused("x: y", says="item ids from -3 to"):
        model.fit(form((x, targets)), verbose=0)
    users = {**x, "users": np.full(8, NUM_USERS)}
    with refused("x: x['users']", says="users from 5 to 5, .* 0 to 4"):
        model.fit(form((users, y)), verbose=0)
    assert _is_finite(model)


def test_the_batches_themselves_stay_as_they_are(model, data, form):
    x, _, last = data
    x["users"] = np.arange(8)  # to score, some may be unknown
    weights = np.arange(8, dtype="float32")
    arguments = {"verbose": 0, "exclude_seen": False}
    whole = model.evaluate(x, last, sample_weight=weights, batch_size=4, **arguments)
    assert model.evaluate(form((x, last, weights)), **arguments) == pytest.approx(whole)
    scores = model.predict(form((x,)), verbose=0)
    whole = model.predict(x, batch_size=4, verbose=0)
    np.testing.assert_allclose(scores[:, 1:], whole[:, 1:], rtol=1e-4)


def test_items_that_came_after_fit_began_are_known(make_model, data, form):
    class Arrivals(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.model.extend_items(1)

    x, y = (np.tile(part, (3, 1)) for part in (data[0]["items"], data[1]))
    y[-1, -1] = NUM_ITEMS + 1  # in the last batch: Keras looks at two before training
    model = make_model(num_blocks=1)
    model.fit(form((x, y)), verbose=0, callbacks=[Arrivals()])
    assert model.num_items == NUM_ITEMS + 1 and _is_finite(model)


@pytest.mark.parametrize("method", ["train_on_batch", "test_on_batch"])
def test_one_batch_is_checked_too(model, data, method):
    x, y, _ = data
    run = getattr(model, method)
    unknown, targets = x["items"].copy(), y.copy()
    unknown[1, 2] = targets[1, -1] = UNKNOWN
    weights = np.ones(8, "float32")
    weights[3] = np.nan
    for items in (unknown, keras.ops.convert_to_tensor(unknown)):
        with refused("x", says=f"item ids from 1 to {UNKNOWN}"):
            run({**x, "items": items}, y)
    with refused("y", says=f"item ids from 1 to {UNKNOWN}"):
        run(x, targets)
    with refused("sample_weight", says="finite, but has nan"):
        run(x, y, weights)
    with refused("y", says="must not be None"):
        run(x)
    run(x, y)
    assert _is_finite(model)
    if method == "train_on_batch":
        with refused("x['users']", says="users from 5 to 5"):
            run({**x, "users": np.full(8, NUM_USERS)}, y)
        with refused("class_weight", received={1: 2.0}):
            run(x, y, class_weight={1: 2.0})


def test_a_call_and_a_prediction_of_one_batch_are_checked(model, data):
    data[0]["items"][1, 2] = -1
    for x in (data[0], keras.tree.map_structure(keras.ops.convert_to_tensor, data[0])):
        for method in (model, model.score, model.predict_on_batch):
            found = "^(x|inputs) has item ids from -1 to"
            with pytest.raises(sr.errors.ArgumentError, match=found):
                method(x)


def test_a_process_that_loads_batches_checks_them_too(model, data):
    data[0]["items"][1, 2] = UNKNOWN
    checked = CheckedData(model).of("x", _Dataset(data[:2]))
    with refused("x: x", says="item ids"):
        pickle.loads(pickle.dumps(checked))[0]


def test_a_pipeline_without_targets_is_refused(model, data):
    for run in (model.fit, model.evaluate):
        with refused("x: y", says="must not be None"):
            run(_pipeline((data[0],)), verbose=0)


def test_targets_of_another_catalogue_have_its_bounds(data):
    source = sr.NextItNet(NUM_ITEMS, embedding_dim=4, num_blocks=1)
    model = sr.TransferRecommender(source, num_targets=7)
    check_batch(model, (data[0]["items"], np.full(8, 7)))
    with refused("y", says="to 8, .* 1 to 7, .*extend_targets"):
        check_batch(model, (data[0]["items"], np.full(8, 8)))


def test_weights_that_are_no_numbers_are_refused(model, data):
    x, y, last = data
    weights = np.full(8, np.inf)
    with refused("sample_weight", says="has inf"):
        model.fit(x, y, sample_weight=weights, verbose=0)
    with refused("validation_data: sample_weight", says="has inf"):
        model.fit(x, y, validation_data=(x, last, weights), verbose=0)
    with refused("sample_weight", says="has inf"):
        model.evaluate(x, last, sample_weight=weights, verbose=0)


@pytest.mark.every_backend
@pytest.mark.skipif(not _ON_JAX, reason="other backends never read NaN")
def test_a_compiled_function_of_ones_own_reads_no_nan():
    import jax

    rows = np.arange(6, dtype="float32").reshape(3, 2)
    layer = Embedding(3, 2, weights=[rows])
    read = jax.jit(layer)(np.array([-1, 3, 0]))
    assert np.array_equal(read, rows[[0, 0, 0]])
    loss = jax.jit(sr.losses.FullSoftmax())
    arguments = (np.ones((1, 3, 2)), rows, np.zeros(3))
    expected = loss(np.array([[1, 0, 2]]), *arguments)
    assert loss(np.array([[1, 3, 2]]), *arguments) == pytest.approx(expected)
