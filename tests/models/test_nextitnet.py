import keras
import numpy as np
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr


def test_position_t_depends_on_items_up_to_t_alone(make_model, sequences):
    model = make_model(num_blocks=4)
    x = sequences[0][:8]
    before = _numpy(model(x))
    for t in range(x.shape[1]):
        changed = x.copy()
        changed[:, t:] = changed[:, t:] % NUM_ITEMS + 1
        after = _numpy(model(changed))
        np.testing.assert_allclose(after[:, :t], before[:, :t], atol=1e-6)
        assert np.abs(after[:, t] - before[:, t]).max() > 1e-4


@pytest.mark.every_backend
@pytest.mark.parametrize("dilations", [(1, 4), (1,), (1, 2, 4), (3, 7)])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 5])
def test_any_cycle_of_dilations_and_any_kernel_equal_a_slow_convolution(
    sequences, kernel_size, dilations
):
    model = sr.NextItNet(
        NUM_ITEMS, 4, len(dilations), kernel_size=kernel_size, dilations=dilations
    )
    stack = model.stack
    rng = np.random.default_rng(0)
    for weight in stack.weights:
        weight.assign(rng.normal(size=weight.shape).astype("float32"))
    x = rng.normal(size=(3, 9, 4)).astype("float32")
    weights = {
        name: _numpy(v).astype("float64")
        for name, v in stack.variables_by_name().items()
    }
    expected = x.astype("float64")
    for block, dilation in enumerate(dilations):
        h = expected
        for i in (1, 2):
            part = {
                name: weights[f"{pattern}"][block]
                for name, pattern in {
                    "kernel": f"kernel{i}",
                    "bias": f"bias{i}",
                    "scale": f"norm{i}_scale",
                    "shift": f"norm{i}_shift",
                }.items()
            }
            h = _slow_half_block(h, part, dilation * i)
        expected = expected + weights["gate"][block] * h
    actual = _numpy(stack(x))
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-3)


def _slow_half_block(x, weights, dilation):
    taps = len(weights["kernel"])
    h = np.zeros_like(x) + weights["bias"]
    for t in range(x.shape[1]):
        for tap in range(taps):
            source = t - (taps - 1 - tap) * dilation
            if source >= 0:
                h[:, t] += x[:, source] @ weights["kernel"][tap]
    mean, variance = h.mean(-1, keepdims=True), h.var(-1, keepdims=True)
    h = (h - mean) / np.sqrt(variance + 1e-8) * weights["scale"] + weights["shift"]
    return np.maximum(h, 0)


def test_a_new_rezero_net_passes_the_embedding_through(sequences):
    model = sr.NextItNet(NUM_ITEMS, 8, num_blocks=3)
    x = sequences[0]
    np.testing.assert_array_equal(_numpy(model(x)), _numpy(model.item_embedding(x)))
    plain = sr.NextItNet(NUM_ITEMS, 8, num_blocks=3, rezero=False)
    assert (_numpy(plain(x)) != _numpy(plain.item_embedding(x))).any()


def test_no_two_blocks_start_equal():
    model = sr.NextItNet(NUM_ITEMS, 8, num_blocks=6)
    for name in ("kernel1", "kernel2"):
        kernels = _numpy(getattr(model.stack, name))
        assert len({kernel.tobytes() for kernel in kernels}) == 6
        assert kernels.std() == pytest.approx(0.0176, rel=0.1)  # truncated at 2 sigma
    assert (_numpy(model.stack.kernel1) != _numpy(model.stack.kernel2)).any()


def test_set_random_seed_makes_a_model_reproducible():
    weights = []
    for _ in range(2):
        keras.utils.set_random_seed(5)
        weights.append(sr.NextItNet(NUM_ITEMS, 8, num_blocks=2).get_weights())
    for first, second in zip(*weights):
        np.testing.assert_array_equal(first, second)


def test_scores_rank_every_item_and_never_the_padding(make_model, sequences):
    model = make_model()
    scores = _numpy(model.score(sequences[0]))
    assert scores.shape == (64, NUM_ITEMS + 1)
    assert np.isneginf(scores[:, 0]).all() and np.isfinite(scores[:, 1:]).all()
    predicted = model.predict(sequences[0], verbose=0)
    np.testing.assert_allclose(predicted[:, 1:], scores[:, 1:], atol=1e-5)


def test_one_model_scores_inputs_of_any_length(make_model, sequences):
    # TensorFlow traces a function of unknown length after the second one.
    model = make_model(num_blocks=4)
    for length in (10, 7, 3, 1):
        x = sequences[0][:4, -length:]
        expected = _numpy(model.score(x))
        predicted = model.predict(x, verbose=0)
        np.testing.assert_allclose(predicted[:, 1:], expected[:, 1:], atol=1e-5)


@pytest.mark.every_backend
def test_training_learns_the_next_item(make_model, sequences):
    model = make_model(optimizer=keras.optimizers.Adam(1e-2))
    x, y = sequences
    model.fit(x, y, batch_size=16, epochs=30, verbose=0)
    found = model.evaluate(x, y[:, -1], verbose=0, return_dict=True)
    assert found["hit_rate@5"] > 0.8
    assert list(found) == sorted(
        ["loss"] + [f"{m}@{k}" for m in ("mrr", "hit_rate", "ndcg") for k in (5, 10)]
    )


def test_of_a_target_at_each_position_the_last_is_evaluated(make_model, sequences):
    model = make_model()
    x, y = sequences
    assert model.evaluate(x, y, verbose=0) == pytest.approx(
        model.evaluate(x, y[:, -1], verbose=0)
    )


def test_weights_of_rows_count_in_validation(make_model, sequences):
    model = make_model()
    x, y = sequences
    weights = np.arange(len(x)) % 2
    half = model.evaluate(x[1::2], y[1::2, -1], verbose=0)[0]
    for shape in (weights, np.repeat(weights[:, None], 10, axis=1)):
        all_rows = model.evaluate(x, y, sample_weight=shape, batch_size=64, verbose=0)
        assert all_rows[0] == pytest.approx(half, rel=1e-5)


def test_every_loss_validates_by_the_exact_softmax(make_model, sequences):
    x, y = sequences
    values, weights = [], make_model().get_weights()
    for loss in ("full_softmax", "sampled_softmax", "gbce"):
        model = make_model(loss=loss)
        model.set_weights(weights)
        values.append(model.evaluate(x, y[:, -1], verbose=0, return_dict=True)["loss"])
    assert values == pytest.approx([values[0]] * 3, rel=1e-5)


@pytest.mark.every_backend
def test_sampled_softmax_trains_by_the_models_own_generator(make_model, sequences):
    losses = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        model = make_model(loss="sampled_softmax")
        history = model.fit(*sequences, epochs=3, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert losses[0][-1] < losses[0][0]


def test_positions_without_a_target_do_not_train(make_model, sequences):
    x, y = sequences
    model = make_model()
    masked = y.copy()
    masked[:, :-1] = 0
    one = model.compute_loss(x, masked, model(x), training=True)
    last = model.compute_loss(x, y[:, -1], model(x), training=True)
    assert float(_numpy(one)) == pytest.approx(float(_numpy(last)), rel=1e-5)


def test_mixed_precision_scores_in_single_precision(make_model, sequences):
    model = make_model(dtype="mixed_bfloat16")
    assert keras.backend.standardize_dtype(model(sequences[0]).dtype) == "bfloat16"
    scores = model.score(sequences[0])
    assert keras.backend.standardize_dtype(scores.dtype) == "float32"


def test_the_config_has_the_depth_of_now(make_model):
    model = make_model(num_blocks=2, dilations=(1, 2), kernel_size=2, rezero=False)
    model.grow("stackC", num_blocks=5)
    copy = sr.NextItNet.from_config(model.get_config())
    assert copy.num_blocks == 5
    assert (copy.dilations, copy.kernel_size, copy.rezero) == ((1, 2), 2, False)
    assert [w.shape for w in copy.weights] == [w.shape for w in model.weights]


@pytest.mark.parametrize(
    "argument, value",
    [
        ("num_items", 0),
        ("num_blocks", 0),
        ("embedding_dim", 1.5),
        ("kernel_size", 0),
        ("dilations", ()),
        ("dilations", 2),
        ("rezero", "no"),
    ],
)
def test_wrong_arguments_are_refused(argument, value):
    with refused(argument, received=value):
        sr.NextItNet(**{"num_items": 5, argument: value})


@pytest.mark.parametrize("dilations, place", [((1, 0), 1), ("14", 0)])
def test_the_dilation_that_is_wrong_is_named(dilations, place):
    with refused(f"dilations[{place}]", received=dilations[place]):
        sr.NextItNet(5, dilations=dilations)


@pytest.mark.parametrize("dilations", [range(1, 3), np.array([1, 2]), [1, 2]])
def test_dilations_may_be_any_sequence(dilations):
    model = sr.NextItNet(5, 4, 2, dilations=dilations)
    assert model.dilations == (1, 2)
    assert model.get_config()["dilations"] == [1, 2]


@pytest.mark.parametrize(
    "argument, value",
    [
        ("loss", "mse"),
        ("loss", keras.losses.SparseCategoricalCrossentropy()),
        ("metrics", ["accuracy"]),
        ("metrics", [keras.metrics.MeanSquaredError()]),
        ("weighted_metrics", ["mrr@5"]),
    ],
)
def test_stock_losses_and_metrics_are_refused(make_model, argument, value):
    refusals = "hidden states|not a ranking metric|has no meaning"
    with pytest.raises(ValueError, match=refusals):
        make_model(compiled=False).compile(**{argument: value})


def test_a_misspelt_argument_of_compile_is_asked_after(make_model):
    model = make_model(compiled=False)
    with refused("jit_compil", True, says="of compile. Did you mean 'jit_compile'?"):
        model.compile(jit_compil=True)
    with refused("exclude_sen", says="Did you mean 'exclude_seen'?"):
        model.compile(exclude_sen=True)
    with refused("sel", 1, says=r"of compile\.$"):
        model.compile(sel=1)
    assert not model.compiled


def test_ids_that_are_no_items_are_refused_before_training(make_model, sequences):
    x, y = sequences
    model = make_model()
    with refused("x", says="item ids from 2 to 31, but this model knows 1 to 30"):
        model.fit(np.where(x == 1, 31, x), y, verbose=0)
    with refused("y", says="item ids from -1 to 30"):
        model.fit(x, np.where(y == 1, -1, y), verbose=0)
    with refused("x", says="of type float64, which must be integers"):
        model.fit(x.astype("float64"), y, verbose=0)
    with refused("validation_data: y", says="item ids from"):
        model.fit(x, y, verbose=0, validation_data=(x, y + 9))
    with refused("y", says="item ids from"):
        model.evaluate(x, y[:, -1] + 30, verbose=0)
    assert int(model.optimizer.iterations) == 0


def _numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_a_misspelt_argument_is_told_what_it_is_near_to():
    with refused("num_block", received=3, says="Did you mean 'num_blocks'"):
        sr.NextItNet(5, num_block=3)
    with refused("zzz", received=1, says="is not an argument of NextItNet.$"):
        sr.NextItNet(5, zzz=1)
