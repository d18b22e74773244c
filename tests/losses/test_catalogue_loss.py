import keras
import numpy as np
import pytest
from keras import ops
from refusals import refused

from stackrec_keras.losses import (
    GBCE,
    BinaryCrossEntropy,
    CatalogueLoss,
    FullSoftmax,
    SampledSoftmax,
)

every_backend = pytest.mark.every_backend

LOSSES = {
    "full": lambda **kw: FullSoftmax(**kw),
    "chunked": lambda **kw: FullSoftmax(chunk_size=8, **kw),
    "sampled": lambda **kw: SampledSoftmax(12, **kw),
    "gbce": lambda **kw: GBCE(12, **kw),
    "binary": lambda **kw: BinaryCrossEntropy(3, **kw),
}


@pytest.fixture(params=LOSSES)
def make_loss(request):
    return LOSSES[request.param]


@pytest.fixture
def seed():
    return keras.random.SeedGenerator(5)


@every_backend
def test_outside_training_every_loss_is_the_exact_cross_entropy(make_loss, case):
    loss = make_loss()(*case.arrays, training=False)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    np.testing.assert_allclose(float(loss), case.losses()[case.y > 0].mean(), 1e-5)


def test_one_target_a_row_is_scored_against_one_hidden_state_a_row(make_loss, case):
    y, hidden, table, bias = case.arrays
    loss = make_loss()(y[:, 0], hidden[:, 0], table, bias, training=False)
    expected = case.losses()[:, 0][y[:, 0] > 0].mean()
    np.testing.assert_allclose(float(loss), expected, rtol=1e-5)


def test_the_padding_class_counts_only_when_asked_for(make_loss, case):
    case.bias[0] = 5.0
    without = make_loss()(*case.arrays, training=False)
    with_padding = make_loss(include_padding=True)(*case.arrays, training=False)
    has_target = case.y > 0
    np.testing.assert_allclose(float(without), case.losses()[has_target].mean(), 1e-5)
    np.testing.assert_allclose(
        float(with_padding), case.losses(include_padding=True)[has_target].mean(), 1e-5
    )


@every_backend
def test_the_padding_row_gets_no_gradient_in_training(make_loss, case, gradients, seed):
    _, (_, d_table, d_bias) = gradients(
        lambda *tensors: make_loss()(case.y, *tensors, seed=seed), *case.arrays[1:]
    )
    assert np.all(d_table[0] == 0) and d_bias[0] == 0
    assert np.any(d_table[1:] != 0) and np.any(d_bias[1:] != 0)


@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_sample_weights_weigh_positions_and_divide_by_their_sum(make_loss, case, scale):
    rng = np.random.default_rng(2)
    weights = (scale * rng.random(case.y.shape)).astype("float32")
    loss = make_loss()(*case.arrays, sample_weight=weights, training=False)
    expected = np.average(case.losses(), weights=weights * (case.y > 0))
    np.testing.assert_allclose(float(loss), expected, rtol=1e-5)


def test_a_weight_a_row_weighs_all_positions_of_the_row(make_loss, case):
    row_weights = np.array([0.5, 2.0, 0.0, 1.0], "float32")
    loss = make_loss()(*case.arrays, sample_weight=row_weights, training=False)
    expected = np.average(case.losses(), weights=row_weights[:, None] * (case.y > 0))
    np.testing.assert_allclose(float(loss), expected, rtol=1e-5)


def test_a_weight_a_row_weighs_one_target_a_row(case):
    y, hidden, table, bias = case.arrays
    row_weights = np.array([0.5, 2.0, 0.0, 1.0], "float32")
    loss = FullSoftmax()(y[:, 4], hidden[:, 4], table, bias, sample_weight=row_weights)
    expected = np.average(case.losses()[:, 4], weights=row_weights)
    np.testing.assert_allclose(float(loss), expected, rtol=1e-5)


@every_backend
def test_sample_weights_apply_in_training_too(make_loss, case, gradients, seed):
    weights = np.ones(4, "float32")
    weights[1] = 0

    def weighted(hidden):
        return make_loss()(
            case.y, hidden, case.table, case.bias, sample_weight=weights, seed=seed
        )

    _, (d_hidden,) = gradients(weighted, case.hidden)
    assert np.all(d_hidden[1] == 0) and np.all(np.any(d_hidden[3] != 0, axis=-1))


def test_a_batch_of_padding_has_loss_zero_and_no_gradient(
    make_loss, case, gradients, seed
):
    value, grads = gradients(
        lambda *tensors: make_loss()(np.zeros_like(case.y), *tensors, seed=seed),
        *case.arrays[1:],
    )
    assert value == 0
    assert all(np.all(gradient == 0) for gradient in grads)


@every_backend
def test_hidden_states_and_weights_without_target_may_be_nan(
    make_loss, case, gradients
):
    def value_and_gradients():
        seed = keras.random.SeedGenerator(5)
        return gradients(
            lambda *tensors: make_loss()(
                case.y, *tensors, sample_weight=weights, seed=seed
            ),
            *case.arrays[1:],
        )

    weights = np.ones(case.y.shape, "float32")
    clean_value, clean_gradients = value_and_gradients()
    case.hidden[case.y == 0] = np.nan
    weights[case.y == 0] = np.nan
    value, grads = value_and_gradients()
    np.testing.assert_allclose(value, clean_value, rtol=1e-6)
    for gradient, clean in zip(grads, clean_gradients, strict=True):
        np.testing.assert_allclose(gradient, clean, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_softmax_of_half_precision_states_is_taken_in_float32(
    make_loss, case, dtype
):
    # Small whole numbers: the products are exact, so any error is the softmax's.
    rng = np.random.default_rng(3)
    case.hidden = rng.integers(-2, 3, case.hidden.shape).astype("float32")
    case.table = rng.integers(-2, 3, case.table.shape).astype("float32")
    hidden = ops.cast(case.hidden, dtype)
    loss = make_loss()(case.y, hidden, case.table, case.bias, training=False)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    np.testing.assert_allclose(float(loss), case.losses()[case.y > 0].mean(), 1e-6)


@every_backend
def test_half_precision_states_train_as_float32_states_do(make_loss, case, gradients):
    def run(cast_to):
        seed = keras.random.SeedGenerator(5)

        def function(hidden, table, bias):
            hidden = ops.cast(hidden, cast_to)
            return make_loss()(case.y, hidden, table, bias, seed=seed)

        return gradients(function, *case.arrays[1:])

    value, grads = run("bfloat16")
    expected_value, expected_gradients = run("float32")
    np.testing.assert_allclose(value, expected_value, rtol=0.01)
    for gradient, expected in zip(grads, expected_gradients, strict=True):
        assert gradient.dtype == "float32"
        np.testing.assert_allclose(gradient, expected, atol=0.02 * expected.max())


@every_backend
def test_extreme_scores_give_finite_losses_and_gradients(
    make_loss, case, gradients, seed
):
    value, grads = gradients(
        lambda *tensors: make_loss()(case.y, *tensors, seed=seed),
        case.hidden * 1e5,
        case.table,
        case.bias,
    )
    assert np.isfinite(value)
    assert all(np.all(np.isfinite(gradient)) for gradient in grads)


@every_backend
def test_losses_train_under_compilation(make_loss, fit):
    losses = fit(make_loss())
    assert losses[-1] < losses[0] < 10


def test_losses_that_draw_ask_for_a_seed(case):
    for loss in (SampledSoftmax(), GBCE(), BinaryCrossEntropy()):
        with refused("seed", received=None):
            loss(*case.arrays)


def test_losses_that_draw_do_so_again_at_each_call(case, seed):
    for loss in (SampledSoftmax(5), GBCE(5), BinaryCrossEntropy(5)):
        first, second = (float(loss(*case.arrays, seed=seed)) for _ in range(2))
        assert first != second


@every_backend
def test_draws_are_not_frozen_by_compilation(fit):
    losses = fit(SampledSoftmax(5), learning_rate=0.0)
    assert len(set(losses)) == len(losses)


@every_backend
def test_one_state_of_the_generator_gives_one_loss(make_loss, case):
    values = {
        float(make_loss()(*case.arrays, seed=keras.random.SeedGenerator(9)))
        for _ in range(2)
    }
    assert len(values) == 1


def test_serialized_losses_come_back_with_their_arguments(make_loss):
    loss = make_loss(include_padding=True)
    config = keras.saving.serialize_keras_object(loss)
    restored = keras.saving.deserialize_keras_object(config)
    assert type(restored) is type(loss)
    assert restored.get_config() == loss.get_config()
    assert restored.include_padding


def test_shapes_that_do_not_fit_are_refused(case):
    y, hidden, table, bias = case.arrays
    with refused("y_true", says=r"shape \(4,\) .* shape \(4, 5, 6\)"):
        FullSoftmax()(y[:, 0], hidden, table, bias)
    with refused("sample_weight", says=r"shape \(4, 5, 1\)"):
        FullSoftmax()(y, hidden, table, bias, sample_weight=np.ones((4, 5, 1)))
    with refused("sample_weight", says=r"shape \(4, 1\) .* rank 1"):
        FullSoftmax()(y[:, 0], hidden[:, 0], table, bias, np.ones((4, 1)))


def test_include_padding_must_be_true_or_false(make_loss):
    with refused("include_padding", received="no"):
        make_loss(include_padding="no")


@pytest.mark.parametrize("value", [0, -1, 0.0, 1.5, True, "many", None])
def test_a_number_of_negatives_out_of_range_is_refused(value):
    for loss in (SampledSoftmax, GBCE, BinaryCrossEntropy):
        with refused("num_negatives", received=value):
            loss(value)


def test_a_subclass_without_a_training_form_says_so(case):
    with pytest.raises(NotImplementedError, match="CatalogueLoss.*training_losses"):
        CatalogueLoss()(*case.arrays)


@pytest.mark.parametrize("loss", [SampledSoftmax, GBCE])
def test_remove_accidental_hits_must_be_true_or_false(loss):
    with refused("remove_accidental_hits", received="no"):
        loss(remove_accidental_hits="no")
