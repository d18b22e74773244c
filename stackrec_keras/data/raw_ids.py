"""Converts raw ids of a log to types that a file can hold."""

import numpy as np
import pandas as pd

from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import shown

PLAIN = (int, float, str, bool)
"""The types of ids that JSON knows."""

MIXED_BOOLEANS = (
    "holds booleans and numbers, and True and 1 are the same id to Python",
    "Give ids of one type, for example with astype(str).",
)
"""Reason and fix of the error for ids that mix booleans and numbers."""

_OWN = {str: str.__str__, int: int.__int__, float: float.__float__}


def as_index(ids):
    """Returns ids as a pandas index without changing their type.

    pandas 3 would convert objects to text, and fail if a string is not UTF-8.
    """
    return pd.Index(ids, dtype=ids.dtype, tupleize_cols=False)


def as_series(values):
    """Returns values as a series; its dtype is object if a string is not UTF-8."""
    try:
        return pd.Series(values)
    except UnicodeEncodeError:
        return pd.Series(values, dtype=object)


def has_mixed_booleans(ids):
    """Returns whether a column holds both booleans and numbers, which cannot be told
    apart as ids, because True equals 1."""
    if ids.dtype != object or not pd.api.types.infer_dtype(ids).startswith("mixed"):
        return False
    kinds = {type(raw) for raw in ids}
    return bool in kinds and bool(kinds & {int, float})


def as_ids(ids):
    """Returns a 1-D array: int64 or float64 for numbers, otherwise Python objects."""
    if isinstance(ids, (np.ndarray, pd.Series, pd.Index)):
        if ids.dtype.kind in "if":
            ids = np.asarray(ids, np.float64 if ids.dtype.kind == "f" else np.int64)
            _check_no_missing(ids)
            return ids
        # Without pd.Index, `tolist` would turn numpy's dates into integers.
        ids = (pd.Index(ids) if ids.dtype.kind == "M" else ids).tolist()
    ids = list(ids)
    if not {type(raw) for raw in ids} <= {*PLAIN}:
        ids = [_plain_id(raw) for raw in ids]
    kinds = {type(raw) for raw in ids}
    for kind in kinds:
        if kind.__hash__ is None:
            raise ArgumentError(
                "ids",
                f"holds values of the type {kind.__name__}, which cannot be ids",
                "Give one id per row. If a column holds lists, "
                "frame.explode('item') gives each element its own row.",
            )
    # 64-bit hashes may not fit into an int64; they stay Python integers.
    if kinds == {int} and max(ids) < 2**63 and min(ids) >= -(2**63):
        return np.array(ids, np.int64)
    dtype = np.float64 if kinds == {float} else object
    array = np.fromiter(ids, dtype, len(ids))
    _check_no_missing(array)
    if has_mixed_booleans(array):
        raise ArgumentError("ids", *MIXED_BOOLEANS)
    return array


def convert_like(ids, known):
    """Converts ids to the type of known numeric ids.

    Integers become floats if the known ids are floats, and whole floats become integers
    if the known ids are integers.

    Args:
        ids: Raw ids, as `Vocabulary` takes them.
        known: Array of raw ids to which `ids` will be added.

    Raises:
        ArgumentError: If the type of `known` cannot hold one of the ids.
    """
    ids = as_ids(ids)
    if {ids.dtype.kind, known.dtype.kind} != {"i", "f"}:
        return ids
    with np.errstate(invalid="ignore"):
        converted = ids.astype(known.dtype)
        lost = converted.astype(ids.dtype) != ids
    if lost.any():
        kind = "integers" if known.dtype.kind == "i" else "floats"
        raise ArgumentError(
            "ids",
            f"holds {ids[lost].tolist()[0]}, but the known ids are {kind} such as "
            f"{known.tolist()[0]}",
            "Give ids of one type.",
        )
    return converted


def _plain_id(raw):
    """Returns an id as a plain Python type: numpy scalars, instances of subclasses such
    as `numpy.str_`, and the elements of tuples are converted."""
    if isinstance(raw, np.generic):
        return _plain_id(pd.Timestamp(raw) if raw.dtype.kind == "M" else raw.item())
    if isinstance(raw, tuple):
        return tuple(map(_plain_id, raw))
    for kind, convert in _OWN.items():
        if isinstance(raw, kind) and not isinstance(raw, bool):
            return convert(raw)
    return raw


def _check_no_missing(ids):
    missing = pd.isna(ids)
    if missing.any():
        raise ArgumentError(
            "ids",
            f"holds the missing value {shown(ids[missing].tolist()[0])} at index "
            f"{np.argmax(missing)}",
            "Leave it out.",
        )
