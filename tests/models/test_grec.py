import keras
import numpy as np
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr


@pytest.fixture
def make_grec():
    def make(mask_rate=0.2, **arguments):
        arguments = {"embedding_dim": 8, "num_blocks": 2, **arguments}
        model = sr.GRec(NUM_ITEMS, mask_rate, **arguments)
        model.stack.gate.assign([0.5, 0.8])
        return model

    return make


@pytest.fixture
def padded():
    """Rows of 20 items, the first 0 to 19 of them padding."""
    items = np.random.default_rng(0).integers(1, NUM_ITEMS + 1, (20, 20))
    return np.where(np.arange(20) < np.arange(20)[:, None], 0, items).astype("int32")


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5, 1.0])
def test_the_share_of_a_row_that_is_drawn(make_grec, padded, rate):
    gaps = _gaps(make_grec(rate), padded)
    for row, found in zip(padded, gaps):
        # After each item comes one, or the target of the row.
        candidates = (row != 0).sum()
        assert (row[found] != 0).all()
        assert len(found) == max(1, int(np.float32(rate) * candidates))
        assert len(set(found)) == len(found)


def test_no_padding_is_ever_blanked(make_grec, padded):
    model = make_grec(0.5)
    for _ in range(5):
        for row, found in zip(padded, _gaps(model, padded)):
            inside = [t + 1 for t in found if t + 1 < 20]
            assert (row[inside] != 0).all()


def test_at_most_fifty_items_of_a_row_are_drawn(make_grec):
    items = np.ones((2, 300), "int32")
    assert [len(found) for found in _gaps(make_grec(0.5), items)] == [50, 50]


def test_gaps_are_drawn_anew_and_reproducibly(make_grec, sequences):
    drawn = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        model = make_grec()
        drawn.append([_gaps(model, sequences[0]) for _ in range(2)])
    assert drawn[0] == drawn[1]
    assert drawn[0][0] != drawn[0][1]


def test_a_gaps_state_sees_a_context_with_holes(make_grec, sequences):
    x, y = sequences
    model = make_grec(0.3)
    gaps = _numpy(model._draw_gaps(x))
    hidden = _numpy(model({"items": x, "gaps": gaps}))
    holes = x.copy()
    for row, found in zip(holes, gaps):
        row[[t + 1 for t in found if 0 <= t < 9]] = 0
    places = np.maximum(gaps, 0)[:, :, None]
    hidden, expected = (
        np.take_along_axis(states, places, axis=1)
        for states in (hidden, _numpy(model(holes)))
    )
    np.testing.assert_allclose(hidden, expected, atol=1e-6)
    assert (holes != x).any()


def test_the_loss_is_that_of_the_gaps_alone(make_grec, padded):
    x, y = sr.data.Windows(padded[:-1], np.arange(19)).arrays()
    model = make_grec(0.3)
    model.compile()
    inputs = {"items": x, "gaps": _numpy(model._draw_gaps(x))}
    hidden, gaps = model(inputs), inputs["gaps"]
    found = model.compute_loss(inputs, y, hidden, training=True)
    hidden = np.take_along_axis(_numpy(hidden), np.maximum(gaps, 0)[:, :, None], axis=1)
    assert (gaps < 0).any()
    assert (np.take_along_axis(y, np.maximum(gaps, 0), axis=1)[gaps >= 0] > 0).all()
    targets = np.take_along_axis(y, np.maximum(gaps, 0), axis=1)
    targets = np.where(gaps < 0, 0, targets)
    table, bias = model.output_table.get_weights()
    scores = (hidden @ table.T + bias)[..., 1:].astype("float64")
    places = np.maximum(targets - 1, 0)[:, :, None]
    of_targets = np.take_along_axis(scores, places, axis=2)[..., 0]
    losses = np.log(np.exp(scores).sum(axis=2)) - of_targets
    expected = losses[targets > 0].mean()
    assert float(_numpy(found)) == pytest.approx(expected, rel=1e-5)


def test_weights_of_positions_go_with_the_gaps(make_grec, sequences):
    x, y = sequences
    model = make_grec(0.3)
    model.compile()
    weights = np.zeros(y.shape, "float32")
    inputs = {"items": x, "gaps": model._draw_gaps(x)}
    hidden = model(inputs)
    none = model.compute_loss(inputs, y, hidden, weights, training=True)
    plain = model.compute_loss(inputs, y, hidden, training=True)
    ones = model.compute_loss(inputs, y, hidden, weights + 1, training=True)
    assert float(_numpy(none)) == 0
    assert float(_numpy(ones)) == pytest.approx(float(_numpy(plain)))


def test_an_encoder_sees_both_sides_of_a_gap_but_not_its_target(sequences):
    x = sequences[0]
    model = sr.GRec(NUM_ITEMS, embedding_dim=8, num_blocks=2, encoder=True)
    for stack in (model.stack, model.encoder):
        stack.gate.assign([0.5, 0.8])
    gaps = np.full((len(x), 1), 4, "int32")

    def seen(changed):
        other = x.copy()
        other[:, changed] = other[:, changed] % NUM_ITEMS + 1
        inputs = [{"items": each, "gaps": gaps} for each in (x, other)]
        hidden = [_numpy(model(each))[:, 4] for each in inputs]
        return np.abs(hidden[0] - hidden[1]).max() > 1e-6

    assert [seen(t) for t in (3, 4, 5, 6)] == [True, True, False, True]


def test_nothing_is_blanked_outside_of_fit(make_grec, sequences):
    x, y = sequences
    model = make_grec()
    plain = sr.NextItNet(NUM_ITEMS, 8, 2)
    plain.set_weights(model.get_weights())
    np.testing.assert_allclose(_numpy(model(x)), _numpy(plain(x)), atol=1e-6)
    np.testing.assert_allclose(
        _numpy(model(x, training=True)), _numpy(plain(x)), atol=1e-6
    )
    for each in (model, plain):
        each.compile()
    found = [m.evaluate(x, y[:, -1], verbose=0) for m in (model, plain)]
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_inputs_of_several_lengths_train(make_grec, sequences):
    # TensorFlow traces a function of unknown length after the second one.
    model = make_grec()
    model.compile()
    x, y = sequences
    for length in (10, 7, 3, 1):
        loss = model.train_on_batch(x[:, -length:], y[:, -length:])
        assert np.isfinite(loss)


@pytest.mark.every_backend
def test_a_fit_is_reproducible(make_grec, sequences):
    losses = []
    for _ in range(2):
        keras.utils.set_random_seed(4)
        model = make_grec()
        model.compile()
        fit = model.fit(*sequences, epochs=2, shuffle=False, verbose=0)
        losses.append(fit.history["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_one_target_a_row_is_refused(make_grec, sequences):
    model = make_grec()
    model.compile(run_eagerly=True)
    with refused("y"):
        model.fit(sequences[0], sequences[1][:, -1], verbose=0)


@pytest.mark.parametrize("rate", [0, -0.1, 1.1, "0.2"])
def test_a_rate_that_is_none_is_refused(rate):
    with refused("mask_rate", received=rate):
        sr.GRec(5, rate)


def test_an_encoder_is_there_or_not():
    with refused("encoder", received="no"):
        sr.GRec(5, encoder="no")


def _gaps(model, items):
    """The positions that are drawn for each row, as a list of lists."""
    gaps = _numpy(model._draw_gaps(items))
    return [sorted(row[row >= 0].tolist()) for row in gaps]


def _numpy(tensor):
    return np.array(keras.ops.convert_to_numpy(tensor))
