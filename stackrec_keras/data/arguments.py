"""Checks of what the functions of `data` are given: values, not how they fit together.

Each raises a ValueError that names the argument, what was given and what to give.
"""

import numbers
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd


def check_integer(name, value, least, why=""):
    """Raises a ValueError if an argument is no integer, or one below `least`."""
    if not _is_integer(value):
        raise ValueError(
            f"{name}={shown(value)} must be an integer of at least {least}{why}."
        )
    if value < least:
        raise ValueError(f"{name}={value} must be at least {least}{why}.")


def check_number(name, value):
    """Raises a ValueError if an argument is no number."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise ValueError(f"{name}={shown(value)} must be a number.")


def check_switch(name, value):
    """Raises a ValueError if an argument is neither True nor False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name}={shown(value)} must be True or False.")


def check_pad(pad):
    """Raises a ValueError if `pad` cannot stand in a file."""
    if not (pad is None or isinstance(pad, str) or _is_integer(pad)):
        raise ValueError(
            f"pad={shown(pad)} must be an integer or a string, as the file has it, or "
            "None for no padding."
        )


def as_path(path):
    """Returns the path that was given.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(path, (str, PathLike)):
        raise ValueError(
            f"path is {shown(path)}; give the path of a file. A log goes into "
            "`read_interactions`, and its windows come from `make_windows`."
        )
    return Path(path)


def check_file(name, path, hint="check the path"):
    """Raises an OSError if there is no file at a path."""
    if path.is_dir():
        raise IsADirectoryError(
            f"'{path}' ({name}) is a folder; give the path of a file in it."
        )
    if not path.is_file():
        raise FileNotFoundError(f"No file at '{path}' ({name}); {hint}.")


def check_column(name, values):
    """Raises a ValueError if values are no single column of ids."""
    is_column = isinstance(values, Iterable) and getattr(values, "ndim", 1) == 1
    if not is_column or isinstance(values, (str, bytes, dict, set, frozenset)):
        raise ValueError(
            f"{name} is {shown(values)}; give one column of raw ids (a series, an "
            "array, a list), as in Vocabulary.from_items(log['item'])."
        )


def check_indices(name, values, ndim):
    """Raises a ValueError if values are no array of integers in `ndim` dimensions."""
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iu":
        raise ValueError(
            f"{name} is {shown(values)}; it must be a numpy array of integers, the "
            "indices that a Vocabulary gives: np.asarray(..., 'int32')."
        )
    if values.ndim != ndim:
        axes = {1: "(rows,)", 2: "(rows, length)"}[ndim]
        raise ValueError(f"{name} has shape {values.shape}; it must be {axes}.")


def shown(value):
    """How an error shows a value, which may be a whole table."""
    if isinstance(value, pd.DataFrame):
        return f"a frame with the columns {list(value.columns)}"
    value = plain(value)
    kind = type(value).__name__
    if getattr(value, "shape", ()):
        return f"<{kind} of {value.dtype}, shape {tuple(value.shape)}>"
    text = repr(value)
    return text if len(text) <= 60 else f"<{kind}>"


def plain(value):
    """A value, or those in a list, as Python's own: numpy's show their type."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value


def counted(number, noun):
    """A number and what it counts: 1 row, 2 rows."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _is_integer(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)
