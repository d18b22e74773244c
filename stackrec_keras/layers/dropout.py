import random

import keras

from stackrec_keras.types import Tensor


def dropout(
    x: Tensor, rate: float, training: bool | None, generator: keras.random.SeedGenerator
) -> Tensor:
    """Drops units in training, so that a resumed run drops the same ones.

    Args:
        x: Tensor.
        rate: Float, the share of units to drop.
        training: Boolean or `None`.
        generator: What `seed_generator` returned; its state says which.

    Returns:
        Tensor of the shape of `x`, in training its kept units scaled up.
    """
    if not (training and rate):
        return x
    return keras.random.dropout(x, rate, seed=generator)


def seed_generator(name: str) -> keras.random.SeedGenerator:
    """Returns a `keras.random.SeedGenerator` whose state torch heeds too.

    Its name is part of the key of its state in torch's `state_dict`, where no two keys
    of a model may be equal. Keras' own would count the generators of the process.

    On torch, dropout by a generator that was made without a seed is drawn from
    torch's own state. The seed is drawn as Keras draws its own.
    """
    return keras.random.SeedGenerator(random.randrange(1, 10**9), name=name)
