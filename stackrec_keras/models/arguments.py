"""Checks of what models are built with."""

import numbers

from stackrec_keras.stacking.arguments import check_integer


def check_integers(**arguments):
    """Raises a ValueError for an argument that is no integer of at least 1."""
    for name, value in arguments.items():
        check_integer(name, value, least=1)


def check_share(**arguments):
    """Raises a ValueError for an argument that is no number from 0 to below 1."""
    for name, value in arguments.items():
        if not isinstance(value, numbers.Real) or not 0 <= value < 1:
            raise ValueError(
                f"{name} must be a number from 0 to below 1. Received: {name}={value!r}"
            )
