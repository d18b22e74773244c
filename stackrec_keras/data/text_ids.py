"""Ids of text files: integers where all of a column are written as such, else text."""

import re

import numpy as np
import pandas as pd

_INTEGER = re.compile("0|[1-9][0-9]{0,19}")


def is_text(column):
    """Whether a column holds strings alone, or missing values."""
    if isinstance(column.dtype, pd.StringDtype):
        return True
    return column.dtype == object and pd.api.types.infer_dtype(column) in (
        "string",
        "empty",
    )


def count_digits(column):
    """How many digits a column has; -2 if it is not one of integers from 0 up."""
    if column.dtype.kind not in "iu" or len(column) == 0 or column.min() < 0:
        return -2
    powers = [10**power for power in range(1, len(str(column.max())))]
    return len(column) + sum(int((column >= power).sum()) for power in powers)


def as_integers(texts):
    """A column of strings as integers if each is written as one, else as it is.

    An integer has no sign, no leading zero, no exponent, no point, and is below 2**64.
    """
    codes, unique = pd.factorize(texts)
    if (codes < 0).any() or not all(map(_INTEGER.fullmatch, unique)):
        return texts
    numbers = [int(text) for text in unique]
    if max(numbers) >= 2**64:
        return texts
    dtype = np.int64 if max(numbers) < 2**63 else np.uint64
    return pd.Series(np.array(numbers, dtype)[codes])
