"""Checks of what models are built with."""

import numbers

import numpy as np

from stackrec_keras.data import Vocabulary
from stackrec_keras.stacking.arguments import check_integer


def check_integers(**arguments):
    """Raises a ValueError for an argument that is no integer of at least 1."""
    for name, value in arguments.items():
        check_integer(name, value, least=1)


def check_bools(**arguments):
    """Raises a ValueError for an argument that is neither True nor False."""
    for name, value in arguments.items():
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(
                f"{name} must be True or False. Received: {name}={value!r}"
            )


def check_vocabulary(name, vocabulary, size_name, size):
    """Raises an error for what a model cannot have as the vocabulary of a catalogue."""
    if vocabulary is None:
        return
    if not isinstance(vocabulary, Vocabulary):
        raise ValueError(
            f"{name} must be a data.Vocabulary, or None. Received: "
            f"{vocabulary!r:.100}. Give data.Vocabulary(ids), the id of item 1 first."
        )
    if len(vocabulary) != size:
        raise ValueError(
            f"{name} has {len(vocabulary)} items, the model {size_name}={size}. Build "
            f"the model with {size_name}=len({name})."
        )
    vocabulary.get_config()  # raises where no file could hold its ids


def check_share(**arguments):
    """Raises a ValueError for an argument that is no number from 0 to below 1."""
    for name, value in arguments.items():
        if not isinstance(value, numbers.Real) or not 0 <= value < 1:
            raise ValueError(
                f"{name} must be a number from 0 to below 1. Received: {name}={value!r}"
            )
