"""Checks of what models are built with."""

import numbers


def check_integers(**arguments):
    """Raises a ValueError for an argument that is no integer of at least 1."""
    for name, value in arguments.items():
        is_integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        if not is_integer or value < 1:
            raise ValueError(
                f"{name} must be an integer of at least 1. Received: {name}={value!r}"
            )


def check_share(**arguments):
    """Raises a ValueError for an argument that is no number from 0 to below 1."""
    for name, value in arguments.items():
        if not isinstance(value, numbers.Real) or not 0 <= value < 1:
            raise ValueError(
                f"{name} must be a number from 0 to below 1. Received: {name}={value!r}"
            )
