"""Vocabularies that belong to a model's catalogue of items."""

import numpy as np

from stackrec_keras.data import Vocabulary
from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import counted


def check_vocabulary(name, vocabulary, size_name, size):
    """Checks that a vocabulary has the size of a model's catalogue.

    Args:
        name: String, the attribute of the model.
        vocabulary: The value that the attribute was set to.
        size_name: String, the model's argument for the size of the catalogue.
        size: Integer, the size of the catalogue.

    Raises:
        ArgumentError: If the value is neither a `Vocabulary` of that size nor `None`.
    """
    if vocabulary is None:
        return
    if not isinstance(vocabulary, Vocabulary):
        fix = "Give data.Vocabulary(ids), the id of item 1 first."
        reason = "must be a data.Vocabulary, or None"
        raise ArgumentError(name, reason, fix, vocabulary)
    if len(vocabulary) != size:
        raise ArgumentError(
            name,
            f"has {counted(len(vocabulary), 'item')}, but the model has "
            f"{size_name}={size}",
            f"Build the model with {size_name}=len({name}).",
        )
    vocabulary.get_config()  # raises if its ids cannot be saved


def check_same_items(name, known, windows):
    """Checks that indices in rows stand for the same items as in the model. They do if
    one vocabulary, the rows' or the model's, begins with the other.

    Args:
        name: String, the name of the argument that holds the rows.
        known: The model's `Vocabulary`, or `None`.
        windows: The rows, with a `vocabulary` or without.

    Raises:
        ArgumentError: If an index stands for two different items.
    """
    made_with = getattr(windows, "vocabulary", None)
    if known is None or made_with is None or known is made_with:
        return
    both = min(len(known), len(made_with))
    other = np.flatnonzero(known.ids[:both] != made_with.ids[:both])
    if len(other):
        index = int(other[0])
        raise ArgumentError(
            name,
            f"was made with a different vocabulary: item {index + 1} is "
            f"{_plain(made_with, index)!r} in it, but {_plain(known, index)!r} in the "
            "model's",
            "Make the windows, or the split, with model.vocabulary. Or build a new "
            "model that has len(split.vocabulary) items (min_count may have left out "
            "some), and set its vocabulary to split.vocabulary.",
        )


def _plain(vocabulary, index):
    return vocabulary.ids[index : index + 1].tolist()[0]
