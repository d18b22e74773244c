import keras
import numpy as np
import pytest
from keras import ops

from stackrec_keras.layers import random_numbers

pytestmark = pytest.mark.every_backend


def drawn(draw, seed):
    """Two draws one after the other, compiled with XLA on TensorFlow."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        draw = tf.function(draw, jit_compile=True, autograph=False)
    return [ops.convert_to_numpy(draw(seed)) for _ in range(2)]


@pytest.mark.parametrize("kind", ["integers", "uniform"])
def test_the_numbers_are_those_of_keras(kind):
    ours, theirs = {
        "integers": (
            lambda seed: random_numbers.random_integers((30, 4), 1, 1000, seed),
            lambda seed: keras.random.randint((30, 4), 1, 1000, seed=seed),
        ),
        "uniform": (
            lambda seed: random_numbers.random_uniform((30, 4), seed),
            lambda seed: keras.random.uniform((30, 4), seed=seed),
        ),
    }[kind]
    found = drawn(ours, keras.random.SeedGenerator(5))
    expected = drawn(theirs, keras.random.SeedGenerator(5))
    np.testing.assert_array_equal(found, expected)
    assert found[0].dtype == expected[0].dtype
    assert (found[0] != found[1]).any()


def test_units_are_dropped_as_often_as_asked():
    x = ops.ones((301, 333))  # PyTorch draws four units at a time, JAX two
    seed = keras.random.SeedGenerator(5)
    first, second = drawn(lambda seed: random_numbers.drop_units(x, 0.2, seed), seed)
    for found in (first, second):
        assert np.mean(found == 0) == pytest.approx(0.2, abs=0.005)
        np.testing.assert_allclose(found[found > 0], 1.25, rtol=1e-6)
    # Units are independent of their neighbours and of the step before.
    dropped = first == 0
    for others in (second == 0, np.roll(dropped, 1), np.roll(dropped, 1, axis=0)):
        assert np.mean(dropped & others) == pytest.approx(0.04, abs=0.003)


def test_keras_drops_units_on_tensorflow_only(monkeypatch):
    by_keras = []
    monkeypatch.setattr(
        keras.random, "dropout", lambda x, rate, seed: by_keras.append(x)
    )
    random_numbers.drop_units(ops.ones((2, 3)), 0.5, keras.random.SeedGenerator(5))
    assert len(by_keras) == (keras.backend.backend() == "tensorflow")


def test_a_rate_close_to_1_drops_nearly_all():
    x, seed = ops.ones((50, 50)), keras.random.SeedGenerator(5)
    found = ops.convert_to_numpy(random_numbers.drop_units(x, 1 - 1e-6, seed))
    assert np.mean(found == 0) > 0.99


def test_the_dtype_stays():
    x = ops.ones((2, 3), "bfloat16")
    found = random_numbers.drop_units(x, 0.5, keras.random.SeedGenerator(5))
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"


def test_the_state_of_the_seed_says_what_is_dropped():
    x = ops.ones((7, 9))
    seeds = [keras.random.SeedGenerator(number) for number in (5, 5, 6)]
    same, again, other = (
        ops.convert_to_numpy(random_numbers.drop_units(x, 0.5, seed)) for seed in seeds
    )
    np.testing.assert_array_equal(same, again)
    assert (same != other).any()
