import random

import keras

from stackrec_keras.layers.random_numbers import drop_units
from stackrec_keras.types import Tensor


def dropout(
    x: Tensor, rate: float, training: bool | None, generator: keras.random.SeedGenerator
) -> Tensor:
    """Drops units in training. A resumed run drops the same units as one that was never
    stopped.

    Args:
        x: Tensor.
        rate: Float, fraction of units to drop.
        training: Boolean or `None`. Units are dropped only if it is `True`.
        generator: A generator from `seed_generator`. Its state determines which
            units are dropped.

    Returns:
        Tensor of the shape of `x`. If units are dropped, the others are scaled up.
    """
    if not (training and rate):
        return x
    return drop_units(x, rate, generator)


def seed_generator(name: str) -> keras.random.SeedGenerator:
    """Creates a `keras.random.SeedGenerator` with a random seed.

    The seed is drawn here, in the same way as Keras' default seed, because on PyTorch a
    generator created without a seed ignores its own state and uses PyTorch's global
    one.

    Args:
        name: String, a name that no other generator of the model has. It becomes part
            of a key of PyTorch's `state_dict`; Keras' default name would depend on
            how many generators the process has created before.

    Returns:
        A `keras.random.SeedGenerator`.
    """
    return keras.random.SeedGenerator(random.randrange(1, 10**9), name=name)
