"""What models take: item ids, or a dict of them and of the users."""

import warnings
from typing import Any

import keras
import numpy as np
from keras import ops

from stackrec_keras.data import Batches, Vocabulary
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers.tracing import values_at_hand

Data = Any
"""What `keras.Model.fit` takes: arrays, a dict of them, batches of either."""


def items_of(inputs):
    """Returns the item ids `(batch, time)` of a model's inputs."""
    return inputs["items"] if isinstance(inputs, dict) else inputs


def users_of(inputs):
    """Returns the users `(batch,)` of a model's inputs, `None` if it has none."""
    return inputs.get("users") if isinstance(inputs, dict) else None


def with_items(inputs, items):
    """Returns the inputs with other item ids."""
    return {**inputs, "items": items} if isinstance(inputs, dict) else items


def check_ids(model, **data):
    """Raises a ValueError if arrays, or batches in their epoch, have no rows or ids
    that the model does not know: JAX would make all weights NaN of them."""
    for name, inputs in data.items():
        if isinstance(inputs, Batches):
            _check_vocabulary(name, model.vocabulary, inputs.windows)
            items, targets = inputs.epoch_windows.item_ids()
            check_ids(model, **{f"{name}: x": items, f"{name}: y": targets})
            continue
        items = _check_known(model, name, inputs)
        if items is not None and not name.endswith("y"):
            _check_rows(name, items)


def check_batch(model, batch, prefix="", training=False, targets=True):
    """Raises a ValueError for what `fit` refuses in one batch, `(x, y, sample_weight)`.

    Args:
        model: The model.
        batch: Arrays or tensors whose values are known, as Keras takes them.
        prefix: String, what stands before the names of the parts.
        training: Boolean, whether the model learns from it.
        targets: Boolean, whether it must have `y`.
    """
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
    _check_known(model, f"{prefix}x", x)
    if y is not None:
        _check_known(model, f"{prefix}y", y)
    elif targets:
        raise missing_targets(prefix)
    if training and model.num_users is not None:
        _check_range(f"{prefix}x has users", as_array(users_of(x)), *_users(model))
    check_weights(f"{prefix}sample_weight", sample_weight)


def missing_targets(prefix):
    """Returns the error of a batch without them."""
    return ValueError(f"{prefix}y is None. Give a batch (x, y).")


def check_call(model, inputs):
    """Raises a ValueError if a model is called on items that it does not know, where
    their values can be read at no cost: not in a compiled function."""
    items = values_at_hand(items_of(inputs))
    if items is not None and items.dtype.kind in "iuf":
        _check_bounds("x has item ids", items, 0, model.num_items, _ITEMS)


def check_weights(name, weights=None):
    """Raises a ValueError for weights that would make all others NaN."""
    weights = as_array(weights)
    if weights is not None and not np.isfinite(weights).all():
        raise ValueError(
            f"{name} has {weights[~np.isfinite(weights)][0]}. Give finite numbers; a "
            "row of weight 0 does not count."
        )


def _check_known(model, name, inputs):
    """Checks ids of any shape, and returns them as an array, `None` if `inputs` yields
    batches."""
    _check_kind(name, inputs)
    check_users(model, name, inputs)
    items = as_array(items_of(inputs))
    last, way_out = model.num_items, _ITEMS
    if name.endswith("y"):
        last = model.num_targets
        way_out = _TARGETS if hasattr(model, "source") else _ITEMS
    _check_range(f"{name} has item ids", items, 0, last, way_out)
    return items


def _users(model):
    return -1, model.num_users - 1, _USERS


def _check_vocabulary(name, known, windows):
    """Indices mean the same items if one vocabulary begins as the other does."""
    made_with = getattr(windows, "vocabulary", None)
    if known is None or made_with is None or known is made_with:
        return
    both = min(len(known), len(made_with))
    other = np.flatnonzero(known.ids[:both] != made_with.ids[:both])
    if len(other):
        index = int(other[0])
        raise ValueError(
            f"{name} was made with another vocabulary than the model's: item "
            f"{index + 1} is {made_with.ids[index]!r} there, and {known.ids[index]!r} "
            "to the model. Make the windows, or the split, with model.vocabulary."
        )


def check_users(model, name, inputs):
    """Raises a ValueError if users are given as the model does not take them."""
    if not isinstance(inputs, dict):
        return
    if model.num_users is None:
        raise ValueError(
            f"{name} has {sorted(inputs)}; {type(model).__name__} takes item ids "
            f"alone. Give {name}['items']."
        )
    if set(inputs) != {"items", "users"}:
        raise ValueError(
            f"{name} must be a dict of 'items' and 'users'. Received: {sorted(inputs)}"
        )


def check_trained_users(model, x):
    """Raises a ValueError if a fit of a model that takes users would get none, or
    some beyond those of the model, who would teach it nothing."""
    if model.num_users is None:
        return
    if isinstance(x, np.ndarray) or getattr(x, "with_users", True) is False:
        raise ValueError(
            f"{type(model).__name__} trains on items and their users: x={{'items': "
            "items, 'users': users}, or batches(..., with_users=True). Received: items "
            "alone"
        )
    windows = getattr(x, "windows", None)
    users = users_of(x) if windows is None else windows.users
    _check_range("x has users", as_array(users), *_users(model))


def _check_kind(name, inputs):
    """What newcomers try, and Keras refuses without a way out."""
    if hasattr(inputs, "evaluation_arrays"):
        raise ValueError(
            f"{name} is {inputs!r}, which are no arrays yet. Give windows.batches(256) "
            "to fit, and windows.evaluation_arrays() as validation_data or, with a "
            "star before it, to evaluate."
        )
    if hasattr(inputs, "columns") and "item" in inputs.columns:
        raise ValueError(
            f"{name} is a log, with the columns {list(inputs.columns)}. Make rows of "
            "it: data.make_windows(log, vocabulary, length=20).batches(256)."
        )
    if isinstance(inputs, (list, tuple)) and any(
        isinstance(row, (list, tuple, str)) for row in inputs
    ):
        raise ValueError(
            f"{name} is a list. Give an array (batch, time) of item indices, as "
            "data.make_windows(log, vocabulary, length=20).arrays() does; raw ids as "
            "lists go into recommend alone."
        )


_ITEMS = (
    "knows 1..{last}, and 0 for padding. Encode raw ids with a Vocabulary, build the "
    "model with more items, or give it more: extend_items."
)
_TARGETS = _ITEMS.replace("extend_items", "extend_targets")
_USERS = (
    "knows 0..{last}, and -1 for a user it does not know. Number the users, or build "
    "the model with more."
)


def as_array(ids):
    """Returns the array that ids are or hold, `None` if they yield batches."""
    if ops.is_tensor(ids):
        return ops.convert_to_numpy(ids)
    return np.asarray(ids) if hasattr(ids, "__array__") else None


def _check_rows(name, items):
    """Raises a ValueError if there are no rows, and warns of some that end in padding,
    where the model looks for the last item."""
    if len(items) == 0:
        raise ValueError(
            f"{name} has no rows: it is of shape {items.shape}. Give at least one."
        )
    if items.ndim != 2 or not items.size:
        return
    padded = int(items[items[:, -1] == 0].any(axis=1).sum())
    if padded:
        warnings.warn(
            f"{padded} rows of {name} end in 0, the padding. It belongs on the left: "
            "the last position is what the next item is predicted from. Give "
            "pad_sequences(..., padding='pre').",
            stacklevel=4,
        )


def _check_range(what, ids, first, last, way_out):
    if ids is None or not ids.size:
        return
    if ids.ndim > 2:
        raise ValueError(
            f"{what} of shape {ids.shape}. Give (batch, time), or (batch,) for one "
            "next item a row."
        )
    if not np.issubdtype(ids.dtype, np.integer):
        raise ValueError(
            f"{what} that are no integers. Received: dtype={ids.dtype}. Encode raw "
            "ids with a Vocabulary."
        )
    _check_bounds(what, ids, first, last, way_out)


def _check_bounds(what, ids, first, last, way_out):
    if ids.size and not first <= ids.min() <= ids.max() <= last:
        raise ValueError(
            f"{what} from {ids.min()} to {ids.max()}; this model "
            + way_out.format(last=last)
        )


def check_vocabulary(name, vocabulary, size_name, size):
    """Raises an error for what a model cannot have as the vocabulary of a catalogue."""
    if vocabulary is None:
        return
    fix = f"Give {name}=data.Vocabulary(ids), the id of item 1 first."
    if not isinstance(vocabulary, Vocabulary):
        reason = "must be a data.Vocabulary, or None"
        raise ArgumentError(name, reason, fix, vocabulary)
    if len(vocabulary) != size:
        raise ArgumentError(
            name,
            f"has {len(vocabulary)} items, but the model has {size_name}={size}",
            f"Build the model with {size_name}=len({name}).",
        )
    vocabulary.get_config()  # raises where no file could hold its ids
