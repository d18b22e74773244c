"""Checks of what growths and schedules are told."""

import numbers


def check_integer(name, value, least=None):
    """Raises a ValueError if an argument is no integer, or one below `least`."""
    is_integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if is_integer and (least is None or value >= least):
        return
    bound = "" if least is None else f" of at least {least}"
    raise ValueError(f"{name} must be an integer{bound}. Received: {name}={value!r}")
