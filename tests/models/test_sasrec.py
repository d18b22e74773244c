import sys

import keras
import numpy as np
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr


@pytest.fixture
def make_sasrec():
    def make(**arguments):
        arguments = {"embedding_dim": 8, "num_blocks": 2, **arguments}
        model = sr.SASRec(NUM_ITEMS, 10, **arguments)
        for name in ("gate1", "gate2") if model.rezero else ():
            getattr(model.stack, name).assign([0.5, 0.8])
        return model

    return make


def test_an_input_that_is_too_long_keeps_its_last_items(make_sasrec, sequences):
    model = make_sasrec()
    long = np.concatenate([sequences[0][::-1], sequences[0]], axis=1)
    np.testing.assert_allclose(
        _numpy(model(long)), _numpy(model(long[:, -10:])), atol=1e-6
    )
    model.compile()
    targets = np.concatenate([sequences[1][::-1], sequences[1]], axis=1)
    weights = np.random.default_rng(0).random(targets.shape)
    whole = model.compute_loss(long, targets, model(long), weights, training=True)
    last = model.compute_loss(
        long[:, -10:], targets[:, -10:], model(long), weights[:, -10:], training=True
    )
    assert float(_numpy(whole)) == pytest.approx(float(_numpy(last)), rel=1e-5)
    with pytest.warns(UserWarning, match="have 20 items, .* last max_length=10. Build"):
        model.fit(long, targets, sample_weight=weights, verbose=0)
    assert model.trained_length == 10


def test_positions_count_from_the_left_end(make_sasrec, sequences):
    model = make_sasrec()
    short = sequences[0][:, :4]
    before = _numpy(model(short))
    table = _numpy(model.position_embedding.embeddings)
    table[4:] += 1.0
    model.position_embedding.embeddings.assign(table)
    np.testing.assert_array_equal(_numpy(model(short)), before)
    table[3] += 1.0 * np.arange(8)
    model.position_embedding.embeddings.assign(table)
    changed = (_numpy(model(short)) != before).any(axis=(0, 2))
    assert changed.tolist() == [False, False, False, True]


@pytest.mark.parametrize("padding_mask", [False, True])
def test_padding_is_seen_or_not(make_sasrec, sequences, padding_mask):
    model = make_sasrec(padding_mask=padding_mask)
    x = sequences[0].copy()
    x[:, :3] = 0
    before = _numpy(model(x))
    assert np.isfinite(before).all()
    table = _numpy(model.item_embedding.embeddings)
    table[0] += 0.5 * np.arange(8)
    model.item_embedding.embeddings.assign(table)
    after = _numpy(model(x))
    assert (np.abs(after - before)[:, 3:].max() > 1e-4) != padding_mask
    assert np.abs(after - before)[:, :3].max() > 1e-4
    # Padding sees only padding, not the items that come after it.
    x[:, 3:] = x[:, 3:] % NUM_ITEMS + 1
    np.testing.assert_allclose(_numpy(model(x))[:, :3], after[:, :3], atol=1e-6)


def test_a_pre_norm_block_with_closed_gates_is_the_identity(make_sasrec):
    stack = make_sasrec(norm="pre").stack
    stack.gate1.assign([0.0, 0.0])
    stack.gate2.assign([0.0, 0.0])
    x = np.random.default_rng(0).normal(size=(2, 5, 8)).astype("float32")
    np.testing.assert_array_equal(_numpy(stack(x)), x)


def test_units_are_dropped_in_fit_and_nowhere_else(make_sasrec, sequences):
    # At rate 0 the loss of a batch is that of an evaluation of the training loss.
    x, y = sequences
    for rate, equal in ((0.0, True), (0.5, False)):
        model = make_sasrec(dropout=rate)
        model.compile(keras.optimizers.SGD(0.0))
        expected = float(_numpy(model.compute_loss(x, y, model(x), training=True)))
        found = model.fit(x, y, batch_size=64, verbose=0).history["loss"][0]
        assert (found == pytest.approx(expected, abs=1e-4)) == equal
        first, second = (model.predict(x, verbose=0) for _ in range(2))
        np.testing.assert_array_equal(first, second)


def test_units_are_dropped_in_four_places(make_sasrec, sequences, monkeypatch):
    # After the embeddings; in each of two blocks attention and both dense layers.
    shapes = []

    def spy(x, rate, seed):
        shapes.append(tuple(x.shape))
        return x

    for module in ("dropout", "causal_attention"):
        module = sys.modules[f"stackrec_keras.layers.{module}"]
        monkeypatch.setattr(module, "drop_units", spy)
    make_sasrec(dropout=0.5)(sequences[0], training=True)
    block = [(64, 1, 10, 10), (64, 10, 8), (64, 10, 8)]
    assert shapes == [(64, 10, 8), *block, *block]


def test_a_pre_norm_net_ends_in_a_norm(make_sasrec, sequences):
    hidden = _numpy(make_sasrec(norm="pre")(sequences[0]))
    np.testing.assert_allclose(hidden.mean(axis=-1), 0, atol=1e-5)
    np.testing.assert_allclose(hidden.std(axis=-1), 1, atol=1e-2)


def test_the_output_table_starts_as_a_dense_layer_of_torch(make_sasrec):
    table, bias = make_sasrec(embedding_dim=16, num_heads=2).output_table.get_weights()
    for values in (table, bias):
        assert 0.2 < np.abs(values).max() <= 0.25
        assert values.std() == pytest.approx(0.25 / 3**0.5, rel=0.25)


@pytest.mark.every_backend
def test_each_step_drops_other_units(make_sasrec, sequences):
    model = make_sasrec(dropout=0.5)
    model.compile(keras.optimizers.SGD(0.0))
    history = model.fit(*sequences, batch_size=64, epochs=3, verbose=0, shuffle=False)
    assert len(set(history.history["loss"])) == 3


@pytest.mark.parametrize(
    "argument, value",
    [
        ("num_heads", 3),  # does not divide the width
        ("dropout", 1.0),
        ("rezero", "no"),
        ("padding_mask", None),
        ("norm", "both"),
        ("embedding_dim", 0),
        ("num_heads", 0),
    ],
)
def test_wrong_arguments_are_refused(argument, value):
    sizes = {"num_items": 5, "max_length": 4, "embedding_dim": 8}
    with refused(argument, received=value):
        sr.SASRec(**{**sizes, argument: value})


def _numpy(tensor):
    return np.array(keras.ops.convert_to_numpy(tensor))
