"""Ids as they come in a log, in a form that a file can hold, too."""

import numpy as np
import pandas as pd

from .arguments import shown

PLAIN = (int, float, str, bool)
"""The types of ids that JSON knows."""

_OWN = {str: str.__str__, int: int.__int__, float: float.__float__}


def as_index(ids):
    """The ids as an index of their own type: pandas 3 would make text of objects, and
    fail where a string is not UTF-8."""
    return pd.Index(ids, dtype=ids.dtype, tupleize_cols=False)


def as_series(values):
    try:
        return pd.Series(values)
    except UnicodeEncodeError:  # as in `as_index`
        return pd.Series(values, dtype=object)


def refuse_mixed_booleans(name, ids):
    """Raises a ValueError if a column holds booleans and numbers: True is 1."""
    if ids.dtype != object or not pd.api.types.infer_dtype(ids).startswith("mixed"):
        return
    kinds = {type(raw) for raw in ids}
    if bool in kinds and kinds & {int, float}:
        raise ValueError(
            f"{name} holds booleans and numbers, and True and 1 are one id to Python. "
            "Give ids of one type, as by astype(str)."
        )


def as_ids(ids):
    """A 1-D array: int64 or float64 for numbers, else of Python objects."""
    if isinstance(ids, (np.ndarray, pd.Series, pd.Index)):
        if ids.dtype.kind in "if":
            ids = np.asarray(ids, np.float64 if ids.dtype.kind == "f" else np.int64)
            _refuse_missing(ids)
            return ids
        # The nanoseconds of numpy's dates would become integers.
        ids = (pd.Index(ids) if ids.dtype.kind == "M" else ids).tolist()
    ids = list(ids)
    if not {type(raw) for raw in ids} <= {*PLAIN}:
        ids = [_plain_id(raw) for raw in ids]
    kinds = {type(raw) for raw in ids}
    for kind in kinds:
        if kind.__hash__ is None:
            raise ValueError(
                f"A {kind.__name__} is no id; give one id a row. Of a column of lists "
                "frame.explode('item') makes such rows."
            )
    # Hashes of 64 bits may not fit into an int64: these stay Python's integers.
    if kinds == {int} and max(ids) < 2**63 and min(ids) >= -(2**63):
        return np.array(ids, np.int64)
    dtype = np.float64 if kinds == {float} else object
    array = np.fromiter(ids, dtype, len(ids))
    _refuse_missing(array)
    refuse_mixed_booleans("ids", array)
    return array


def _plain_id(raw):
    """An id as Python's own type, where it is of a class that is derived from it."""
    if isinstance(raw, np.generic):
        return _plain_id(pd.Timestamp(raw) if raw.dtype.kind == "M" else raw.item())
    if isinstance(raw, tuple):
        return tuple(map(_plain_id, raw))
    for kind, convert in _OWN.items():
        if isinstance(raw, kind) and not isinstance(raw, bool):
            return convert(raw)
    return raw


def _refuse_missing(ids):
    missing = pd.isna(ids)
    if missing.any():
        raise ValueError(
            f"ids holds {shown(ids[missing].tolist()[0])}, a missing value, at index "
            f"{np.argmax(missing)}. Leave it out."
        )
