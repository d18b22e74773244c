"""Random numbers that are drawn fast, above all on a CPU.

`random_integers` and `random_uniform` draw the same numbers as `keras.random`. But
Keras leaves the choice of the generator to TensorFlow. Then some programs of XLA on a
CPU derive the key of the generator again for each number, which takes far longer.
"""

import keras
import numpy as np


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


def drop_units(x, rate, seed):
    """Returns `x` with a fraction of its units dropped and the others scaled up.

    JAX, and PyTorch on a CPU, draw 16 bits per unit, so that the fraction is exact to
    1e-5. Keras draws 32 or more.

    Args:
        x: Tensor.
        rate: Float, fraction of units to drop.
        seed: A `keras.random.SeedGenerator`.
    """
    if keras.backend.backend() == "jax":
        return _drop_with_jax(x, rate, seed)
    if keras.backend.backend() == "torch" and x.device.type == "cpu":
        return _drop_with_torch(x, rate, seed)
    return keras.random.dropout(x, rate, seed=seed)


def _drop_with_torch(x, rate, seed):
    import torch

    if torch.compiler.is_compiling():
        return keras.random.dropout(x, rate, seed=seed)
    generator = torch.Generator("cpu").manual_seed(int(seed.next().sum()))
    words = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device="cpu")
    words.random_(-(2**63), None, generator=generator)
    numbers = words.view(torch.int16)[: x.numel()].view(x.shape)
    kept = numbers >= _num_dropped(rate) - 2**15
    return x * kept.to(x.dtype).mul_(1 / (1 - rate))


def _drop_with_jax(x, rate, seed):
    import jax
    from jax import numpy as jnp

    *rows, units = x.shape
    words = jax.random.bits(seed.next(), (*rows, -(-units // 2)), "uint32")
    numbers = jax.lax.bitcast_convert_type(words, "uint16")
    numbers = numbers.reshape(*rows, 2 * words.shape[-1])[..., :units]
    kept = numbers >= np.uint16(_num_dropped(rate))
    return jnp.where(kept, x / (1 - rate), jnp.zeros_like(x))


def _num_dropped(rate):
    """Returns how many of the 65,536 numbers drop a unit: all but one at most."""
    return min(round(rate * 2**16), 2**16 - 1)


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
