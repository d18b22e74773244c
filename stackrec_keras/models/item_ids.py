"""Converts lists of raw ids, or of indices, to one array of indices."""

import contextlib
import itertools
from collections.abc import Iterable

import numpy as np
import pandas as pd
from keras import ops

from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import counted

_SHOWN = 5


def lookup_indices(name, lists, vocabulary, num_items, fix):
    """Returns the indices of items as one array, and the length of each list.

    Args:
        name: String, the argument that holds the lists.
        lists: Lists of raw ids if there is a vocabulary, otherwise of indices.
        vocabulary: `Vocabulary`, or `None`.
        num_items: Integer, the highest index.
        fix: String, what to do if indices are wrong.

    Raises:
        ArgumentError: If an item is unknown.
    """
    if vocabulary is None:
        given, lengths = flat_indices(name, lists, fix)
        indices = np.where(given > num_items, 0, np.maximum(given, 0))
        fix = f"It knows the indices 1 to {num_items}. {fix}"
    else:
        given, lengths = flat_ids(lists)
        indices = encode(vocabulary, given)
        fix = f"It knows ids such as {vocabulary.ids[:1].tolist()[0]!r}."
    unknown = given[indices == 0].tolist()
    if unknown:
        different = list(dict.fromkeys(map(repr, unknown)))
        number, more = counted(len(unknown), "item"), len(different) - _SHOWN
        raise ArgumentError(
            name,
            f"has {number} that the model does not know: "
            f"{', '.join(different[:_SHOWN])}{f' and {more} more' if more > 0 else ''}",
            fix,
        )
    return indices, lengths


def as_list(name, items):
    """Returns items as a list or an array.

    Raises:
        ArgumentError: If `items` is a single item, or is empty.
    """
    if ops.is_tensor(items):
        items = ops.convert_to_numpy(items)
    is_single = isinstance(items, (str, bytes)) or not isinstance(items, Iterable)
    if is_single or getattr(items, "ndim", 1) > 2:
        raise ArgumentError(name, "must be a list of items", received=items)
    items = items if hasattr(items, "ndim") else list(items)
    if len(items) == 0:
        raise ArgumentError(name, "must have at least one item", received=items)
    return items


def are_lists(name, items, kinds=(list, np.ndarray)):
    """Returns whether `items` is a list of lists of items.

    Raises:
        ArgumentError: If `items` mixes items and lists.
    """
    if getattr(items, "ndim", 1) == 2:
        return True
    found = {isinstance(part, kinds) for part in items}
    if len(found) == 2:
        reason = "must hold either items or lists of items, not both"
        raise ArgumentError(name, reason, received=items)
    return found.pop()


def encode(vocabulary, ids):
    """Returns the indices of an array of raw ids, with 0 for unknown ones."""
    is_integer = pd.api.types.infer_dtype(ids, skipna=False) == "integer"
    if is_integer and vocabulary.ids.dtype.kind == "i":
        with contextlib.suppress(OverflowError):
            ids = ids.astype("int64")  # faster to look up than objects
    return vocabulary.encode(ids)


def flat_ids(lists):
    """Returns lists of raw ids as one array of objects, and the length of each."""
    lists = [
        ids if isinstance(ids, (list, tuple)) else pd.Series(ids).tolist()
        for ids in lists
    ]
    lengths = np.array([len(ids) for ids in lists], "int64")
    ids = itertools.chain.from_iterable(lists)
    return np.fromiter(ids, object, lengths.sum()), lengths


def flat_indices(name, lists, fix):
    """Returns lists of indices as one array, and the length of each.

    Args:
        name: String, the argument that holds the lists.
        lists: Lists of indices.
        fix: String, what to do if a list holds something else.

    Raises:
        ArgumentError: If a list holds something else.
    """
    arrays = [_integers(indices) for indices in lists]
    for array, given in zip(arrays, lists):
        if array is None:
            reason = f"has {given!r:.100}, which is not a list of item indices"
            raise ArgumentError(name, reason, fix)
    lengths = np.array([len(array) for array in arrays], "int64")
    return np.concatenate(arrays).astype("int64"), lengths


def _integers(values):
    """Returns a list of integers as an array, or `None` if it holds anything else."""
    try:
        array = np.asarray(values)
    except ValueError:  # lists of different lengths
        return None
    is_integer = np.issubdtype(array.dtype, np.integer) or array.size == 0
    return array if array.ndim == 1 and is_integer else None
