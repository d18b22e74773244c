"""Kinds of options: how a value is converted, and what it must be."""

import os
from dataclasses import field

from stackrec_keras.arguments import is_integer, is_number


def option(group, default, help, type=str, **arguments):
    """Returns a field of a configuration.

    Args:
        group: String, the group of options that the field belongs to.
        default: The field's default; `None` if it may stay unset.
        help: String, the help text.
        type: The type of the values, a key of `KINDS`. Defaults to `str`.
        **arguments: Arguments of `argparse`, or some of these three. `models` and
            `losses` name the only models or losses that have the option. `also` has
            valid values that the command line does not offer.
    """
    metadata = {"group": group, "help": help, "type": type, **arguments}
    return field(default=default, metadata=metadata)


def _boolean(value):
    if not isinstance(value, bool):
        raise TypeError
    return value


def _real(value):
    if not is_number(value):
        raise TypeError
    return value if isinstance(value, int) else float(value)


def _integer(value):
    if not is_integer(value):
        raise TypeError
    return int(value)


def integers(text):
    """Returns `(1, 4)` for `"1,4"`."""
    return tuple(int(part) for part in text.split(","))


def number(text):
    """Returns a count or a fraction: `3` for `"3"`, and `0.2` for `"0.2"`."""
    return int(text) if text.strip().isdecimal() else float(text)


# Maps the type of an option to its converter and a description of valid values.
KINDS = {
    int: (_integer, "an integer"),
    float: (_real, "a number"),
    number: (_real, "a number"),
    bool: (_boolean, "True or False"),
    str: (os.fspath, "a string"),
    integers: (lambda value: tuple(map(_integer, value)), "a tuple of integers"),
}
