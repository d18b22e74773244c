"""What a user set in Keras holds here too."""

import keras
import numpy as np
import pytest

import stackrec_keras as sr


@pytest.fixture
def as_before():
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy(policy)
    keras.config.set_image_data_format("channels_last")


def _trained(items):
    keras.utils.set_random_seed(3)
    model = sr.SASRec(9, 3, 2, num_blocks=1, dropout=0.2)
    model.compile(loss=sr.losses.SampledSoftmax(5))
    model.fit(items, items, verbose=0)
    model.grow("stackR")
    model.extend_items(1, init="random")
    return model.get_weights()


def test_set_random_seed_settles_weights_dropout_negatives_and_growth():
    items = np.array([[1, 2, 3], [4, 5, 6]])
    for first, second in zip(_trained(items), _trained(items), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-6)


@pytest.mark.parametrize("floatx", ["float64", "bfloat16"])
def test_floatx_is_that_of_weights_and_hidden_states_after_a_growth(floatx, as_before):
    if floatx == "float64" and keras.backend.backend() == "jax":
        pytest.skip("JAX has it only after jax_enable_x64")
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(floatx)
    model = sr.SASRec(9, 3, 2, num_blocks=1)
    model.compile()
    model.grow("stackR")
    x = np.array([[1, 2, 3]])
    model.fit(x, x, verbose=0)
    assert {keras.backend.standardize_dtype(w.dtype) for w in model.weights} == {floatx}
    assert keras.backend.standardize_dtype(model(x).dtype) == floatx


def test_the_format_of_images_does_not_matter(as_before):
    model = sr.NextItNet(9, 4, 2, rezero=False)
    x = np.array([[1, 2, 3]])
    before = keras.ops.convert_to_numpy(model(x))
    keras.config.set_image_data_format("channels_first")
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(x)), before, atol=1e-6)


def test_a_dtype_policy_set_for_all_is_heeded(as_before):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = sr.NextItNet(9, 4, 1)
    hidden = model(np.array([[1, 2, 3]]))
    assert keras.backend.standardize_dtype(hidden.dtype) == "bfloat16"
    assert {w.dtype for w in model.weights} == {"float32"}
