"""Checks of arguments, for layers and for all that stands on them."""

import difflib
import inspect
import numbers

import numpy as np


def is_integer(value):
    """Returns whether a value is an integer; True and False are none."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def check_integer(name, value, least=None):
    """Raises a ValueError if an argument is no integer, or one below `least`."""
    if is_integer(value) and (least is None or value >= least):
        return
    bound = "" if least is None else f" of at least {least}"
    raise ValueError(f"{name} must be an integer{bound}. Received: {name}={value!r}")


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


def check_share(**arguments):
    """Raises a ValueError for an argument that is no number from 0 to below 1."""
    for name, value in arguments.items():
        if not isinstance(value, numbers.Real) or not 0 <= value < 1:
            raise ValueError(
                f"{name} must be a number from 0 to below 1. Received: {name}={value!r}"
            )


def nearest_names(kind, given):
    """What an error adds on keywords that a class does not take: those it takes that
    are written like them."""
    taken = {
        name
        for base in kind.__mro__
        for name in inspect.signature(base.__init__).parameters
    }
    close = [difflib.get_close_matches(name, taken - {"self"}, 1) for name in given]
    names = ", ".join(f"{match[0]!r}" for match in close if match)
    return f". Did you mean {names}?" if names else ""
