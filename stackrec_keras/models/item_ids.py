"""From lists of raw ids, or of indices, to one array of indices."""

import contextlib
import itertools
from collections.abc import Iterable

import numpy as np
import pandas as pd
from keras import ops

from stackrec_keras.wording import counted

_SHOWN = 5


def known_indices(name, lists, vocabulary, num_items, way_out):
    """Returns the indices of items as one array, and the length of each list.

    Args:
        name: String, the argument that the lists are from.
        lists: Lists of raw ids if there is a vocabulary, else of indices.
        vocabulary: `Vocabulary`, or `None`.
        num_items: Integer, the highest index.
        way_out: String that ends an error about indices.

    Raises:
        ValueError: If an item is unknown.
    """
    if vocabulary is None:
        given, lengths = flat_indices(lists, f"{name} has", way_out)
        indices = np.where(given > num_items, 0, np.maximum(given, 0))
        known = f"It knows the indices 1 to {num_items}. {way_out}"
    else:
        given, lengths = flat_ids(lists)
        indices = encode(vocabulary, given)
        known = f"Its items are such as {vocabulary.ids[:1].tolist()[0]!r}."
    unknown = given[indices == 0].tolist()
    if unknown:
        shown = list(dict.fromkeys(map(repr, unknown)))
        raise ValueError(
            f"{name} has {counted(len(unknown), 'item')} that the model does not know: "
            f"{', '.join(shown[:_SHOWN])}{', ...' if len(shown) > _SHOWN else '.'} "
            f"{known}"
        )
    return indices, lengths


def as_list(name, items):
    """Returns items as a list or an array.

    Raises:
        ValueError: If this is a single item, or there are none.
    """
    if ops.is_tensor(items):
        items = ops.convert_to_numpy(items)
    is_single = isinstance(items, (str, bytes)) or not isinstance(items, Iterable)
    if is_single or getattr(items, "ndim", 1) > 2:
        raise ValueError(f"{name} must be a list of items. Received: {items!r:.100}")
    items = items if hasattr(items, "ndim") else list(items)
    if len(items) == 0:
        raise ValueError(f"{name} must have at least one item. Received: {items!r}")
    return items


def are_lists(name, items, kinds=(list, np.ndarray)):
    """Returns whether items are lists of items.

    Raises:
        ValueError: If only some of them are.
    """
    if getattr(items, "ndim", 1) == 2:
        return True
    found = {isinstance(part, kinds) for part in items}
    if len(found) == 2:
        raise ValueError(
            f"{name} must hold either items or lists of items. Received: {items!r:.200}"
        )
    return found.pop()


def encode(vocabulary, ids):
    """Returns the indices of an array of raw ids, 0 for an unknown one."""
    is_integer = pd.api.types.infer_dtype(ids, skipna=False) == "integer"
    if is_integer and vocabulary.ids.dtype.kind == "i":
        with contextlib.suppress(OverflowError):
            ids = ids.astype("int64")  # much faster to look up than objects
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


def flat_indices(lists, name, way_out):
    """Returns lists of indices as one array, and the length of each.

    Raises:
        ValueError: If a list holds something else. The message begins with `name` and
            ends with `way_out`.
    """
    arrays = [_integers(indices) for indices in lists]
    for array, given in zip(arrays, lists):
        if array is None:
            raise ValueError(
                f"{name} {given!r:.100}, which is not a list of item indices. {way_out}"
            )
    lengths = np.array([len(array) for array in arrays], "int64")
    return np.concatenate(arrays).astype("int64"), lengths


def _integers(values):
    """Returns a list of integers as an array, `None` for another."""
    try:
        array = np.asarray(values)
    except ValueError:  # lists of different lengths
        return None
    is_integer = np.issubdtype(array.dtype, np.integer) or array.size == 0
    return array if array.ndim == 1 and is_integer else None
