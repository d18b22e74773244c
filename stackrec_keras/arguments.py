"""Checks of arguments. A check that fails raises an `ArgumentError`, unless its
docstring names another error."""

import inspect
import numbers
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import did_you_mean, plain, relative_to


def is_integer(value: Any) -> bool:
    """Returns whether a value is an integer; `True` and `False` are not."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Returns whether a value is a real number; `True` and `False` are not."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def check_integer(name: str, value: Any, least: int | None = None, why: str = ""):
    """Checks that an argument is an integer of at least `least`.

    Args:
        name: String, the argument.
        value: What was given.
        least: Integer, the least valid value. Defaults to `None`, no limit.
        why: String to append to the message. Defaults to `""`.
    """
    if is_integer(value) and (least is None or value >= least):
        return
    bound = "" if least is None else f" of at least {least}"
    raise ArgumentError(name, f"must be an integer{bound}{why}", received=value)


def check_integers(**arguments: Any) -> None:
    """Checks that arguments are integers of at least 1."""
    for name, value in arguments.items():
        check_integer(name, value, least=1)


def check_number(name: str, value: Any) -> None:
    """Checks that an argument is a number, and not NaN."""
    if not is_number(value) or value != value:
        raise ArgumentError(name, "must be a number", received=value)


def check_bools(**arguments: Any) -> None:
    """Checks that arguments are `True` or `False`."""
    for name, value in arguments.items():
        if not isinstance(plain(value), bool):
            raise ArgumentError(name, "must be True or False", received=value)


def check_fraction(**arguments: Any) -> None:
    """Checks that arguments are numbers from 0 to below 1."""
    for name, value in arguments.items():
        if not is_number(value) or not 0 <= value < 1:
            reason = "must be a number from 0 to below 1"
            raise ArgumentError(name, reason, received=value)


def check_positive(**arguments: Any) -> None:
    """Checks that arguments are numbers above 0."""
    for name, value in arguments.items():
        if not is_number(value) or not value > 0:
            raise ArgumentError(name, "must be a number above 0", received=value)


def check_choice(name: str, value: Any, choices: Iterable[Any], why: str = "") -> None:
    """Checks that an argument is one of the given values.

    Args:
        name: String, the argument.
        value: What was given.
        choices: The values that the argument may have.
        why: String to append to the message. Defaults to `""`.
    """
    choices, value = list(choices), plain(value)
    if any(type(value) is type(one) and value == one for one in choices):
        return
    *others, last = map(repr, choices)
    listed = f"{', '.join(others)} or {last}" if others else last
    meant = did_you_mean(value, choices) if isinstance(value, str) else ""
    raise ArgumentError(name, f"must be {listed}{why}", meant, value)


def check_path(name: str, path: Any, fix: str = "") -> None:
    """Checks that an argument is the path of a file or folder."""
    if not isinstance(path, (str, PathLike)):
        raise ArgumentError(name, "must be a path", fix, path)


def check_file(name: str, path: Path) -> None:
    """Checks that there is a file at a path, and raises an `OSError` if there is none.

    Args:
        name: String, the argument.
        path: `Path`.
    """
    if path.is_dir():
        raise IsADirectoryError(
            f"'{path}' ({name}) is a folder; give the path of a file in it."
        )
    if not path.is_file():
        raise FileNotFoundError(
            f"No file at '{path}' ({name}); check the path{relative_to(path)}."
        )


def nearest_names(kind: type, given: Iterable[str]) -> str:
    """Returns `"Did you mean ...?"` with the arguments of a class's constructor that
    are similar to the given names, or `""` if none is similar."""
    taken = {
        name
        for base in inspect.getmro(kind)
        for name in inspect.signature(vars(base).get("__init__", object)).parameters
    }
    return did_you_mean(given, taken - {"self"})
