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
