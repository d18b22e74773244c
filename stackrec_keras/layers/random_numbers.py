"""Random numbers that XLA draws fast.

They are the same numbers as those of `keras.random`. But Keras leaves the choice of the
generator to TensorFlow. Then some programs of XLA on a CPU derive the key of the
generator again for each number, which takes far longer.
"""

import keras


def random_integers(shape, low, high, seed):
    """Returns int32 numbers from `low` to `high - 1`, all equally likely.

    Args:
        shape: Tuple, the shape of the result.
        low: Integer.
        high: Integer.
        seed: A `keras.random.SeedGenerator`, or another seed that Keras accepts.
    """
    key = _philox_key(seed)
    if key is None:
        return keras.random.randint(shape, low, high, seed=seed)
    import tensorflow as tf

    return tf.random.stateless_uniform(
        shape, key, minval=low, maxval=high, dtype="int32", alg="philox"
    )


def random_uniform(shape, seed):
    """Returns numbers from 0 to 1, 1 excluded.

    Args:
        shape: Tuple, the shape of the result.
        seed: As in `random_integers`.
    """
    key = _philox_key(seed)
    if key is None:
        return keras.random.uniform(shape, seed=seed)
    import tensorflow as tf

    dtype = keras.config.floatx()
    return tf.random.stateless_uniform(shape, key, dtype=dtype, alg="philox")


def _philox_key(seed):
    """Returns what Keras makes of a seed on TensorFlow, or `None` where Keras and
    TensorFlow do not draw with the Philox generator or already do so fast."""
    if keras.backend.backend() != "tensorflow":
        return None
    if not isinstance(seed, keras.random.SeedGenerator):
        return None
    if not keras.distribution.list_devices()[0].startswith("cpu"):
        return None
    import tensorflow as tf

    state = seed.next()
    if state.dtype == tf.int32:
        return state
    return tf.cast(tf.math.floormod(state, tf.int32.max - 1), "int32")
