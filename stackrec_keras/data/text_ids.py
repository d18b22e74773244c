"""Ids of text files: integers if all ids of a column are integers, otherwise text."""

import re

import numpy as np
import pandas as pd

_INTEGER = re.compile("0|[1-9][0-9]{0,19}")


def is_text(column):
    """Returns whether a column holds only strings and missing values."""
    if isinstance(column.dtype, pd.StringDtype):
        return True
    return column.dtype == object and pd.api.types.infer_dtype(column) in (
        "string",
        "empty",
    )


def count_digits(column):
    """Returns the total number of digits in a column of integers >= 0.

    Returns -2 if the column is empty or holds anything else.
    """
    if column.dtype.kind not in "iu" or len(column) == 0 or column.min() < 0:
        return -2
    powers = [10**power for power in range(1, len(str(column.max())))]
    return len(column) + sum(int((column >= power).sum()) for power in powers)


def as_integers(texts):
    """Converts a column of strings to integers if each string is an integer.

    Only a string of digits counts as an integer: at most 2**64 - 1, and without a
    leading zero.
    """
    codes, unique = pd.factorize(texts)
    if (codes < 0).any() or not all(map(_INTEGER.fullmatch, unique)):
        return texts
    numbers = [int(text) for text in unique]
    if max(numbers) >= 2**64:
        return texts
    dtype = np.int64 if max(numbers) < 2**63 else np.uint64
    return pd.Series(np.array(numbers, dtype)[codes])
