"""Checks that a model knows the items and users in its data.

On JAX, an id beyond the end of a table reads NaN, and makes all weights NaN.
"""

import keras
import numpy as np

from stackrec_keras.data import Batches
from stackrec_keras.errors import ArgumentError, warn
from stackrec_keras.layers.tracing import values_if_known
from stackrec_keras.models.equal_parts import check_parts
from stackrec_keras.models.inputs import (
    as_array,
    as_features,
    check_complete,
    check_feature,
    check_names,
    check_whole,
    further_of,
    items_of,
)
from stackrec_keras.models.length_parts import in_parts
from stackrec_keras.models.vocabularies import check_same_items

_ITEMS = (
    "Encode raw ids with a Vocabulary, build the model with more items, or add items "
    "to it with extend_items."
)
_TARGETS = _ITEMS.replace("extend_items", "extend_targets")
_USERS = "Number the users from 0, or build the model with more users."


def check_ids(model, **data):
    """Checks arrays, or the rows that `Batches` give in their current epoch.

    Args:
        model: The model.
        **data: The arguments of `fit`, `evaluate` or `predict`, by name. Names that end
            in `y` are targets.

    Raises:
        ArgumentError: If there are no rows, or if the model cannot read their features,
            ids or values.
    """
    for name, inputs in data.items():
        if isinstance(inputs, Batches):
            _check_batches(model, name, inputs)
        elif name.endswith("y"):
            _check_targets(model, name, inputs)
        else:
            _check_inputs(model, name, inputs)
            items = as_array(items_of(inputs))
            if items is not None:
                _check_rows(name, items)


def check_batch(model, batch, prefix="", training=False, targets=True):
    """Checks one batch, `(x, y, sample_weight)`.

    Args:
        model: The model.
        batch: Tuple of arrays or tensors, as Keras takes it. Their values must be
            known.
        prefix: String to put before the names of the parts in errors.
        training: Boolean, whether the model learns from the batch.
        targets: Boolean, whether the batch must have `y`.

    Raises:
        ArgumentError: If `fit` would refuse the batch.
    """
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
    if in_parts(x) and y is not None:
        weights = [None] * len(x) if sample_weight is None else sample_weight
        for part in zip(x, y, weights, strict=True):
            check_batch(model, part, prefix, training, targets)
        return
    _check_inputs(model, f"{prefix}x", x, training)
    check_parts(f"{prefix}x", items_of(x))
    if y is not None:
        _check_targets(model, f"{prefix}y", y)
    elif targets:
        raise missing_targets(prefix)
    check_weights(f"{prefix}sample_weight", sample_weight)


def check_training_inputs(model, x):
    """Checks that training data has all features, and only users that the model allows.
    Reads arrays and the rows of `Batches`; other data is checked batch by batch.

    Raises:
        ArgumentError: If a feature is missing or a user is not in -1..num_users-1.
    """
    if isinstance(x, Batches):
        check_names(model, "x", x.features, training=True)
        users = x.windows.feature("users") if "users" in model.features else None
    elif as_array(items_of(x)) is not None:
        check_names(model, "x", as_features(x), training=True)
        users = as_features(x).get("users")
    else:
        return  # other batches are checked one by one
    if users is not None:
        _check_users(model, "x", as_array(users))


def check_call(model, inputs, training):
    """Checks the features that a model is called on. Skips the values of
    the item ids if they cannot be read at once, as in a compiled function."""
    if in_parts(inputs):
        for part in inputs:
            check_call(model, part, training)
        return
    check_complete(model, "inputs", as_features(inputs), training)
    check_whole(model, "inputs", further_of(inputs))
    items = values_if_known(items_of(inputs))
    if items is not None and items.dtype.kind in "iuf":
        _check_bounds("inputs", "item ids", items, 0, model.num_items, _ITEMS)


def check_weights(name, weights=None):
    """Checks sample weights: a single NaN or infinity makes all model weights NaN.

    Raises:
        ArgumentError: If a sample weight is not finite.
    """
    weights = as_array(weights)
    if weights is not None and not np.isfinite(weights).all():
        found = weights[~np.isfinite(weights)][0]
        fix = "To leave out a row, give it the weight 0."
        raise ArgumentError(name, f"must be finite, but has {found}", fix)


def missing_targets(prefix):
    """Returns the error for a batch without targets."""
    return ArgumentError(f"{prefix}y", "must not be None", "Give batches (x, y).")


def _check_batches(model, name, batches):
    check_same_items(name, model.vocabulary, batches.windows)
    check_names(model, name, batches.features)
    if batches.group_by_length and not model.ignores_padding:
        raise ArgumentError(
            "group_by_length",
            f"cuts off padding, which changes what {type(model).__name__} computes",
            "Use HSTU or ESASRec, give SASRec or SSEPT padding_mask=True, or leave "
            "group_by_length out.",
            True,
        )
    further = [name for name in batches.features if name not in ("items", "users")]
    ranges = {"x": [], "y": []}
    padded = 0
    for part in batches.epoch_parts():  # logs may be larger than memory
        items, targets = part.item_ids()
        for argument, ids in (("x", items), ("y", targets)):
            ranges[argument] += [ids.min(), ids.max()] if ids.size else []
        padded += _padded_rows(items)
        for feature in further:
            values = part.feature(feature)
            described = f"{name}: x[{feature!r}]"
            check_feature(described, values, part.feature("items"), feature)
            check_whole(model, f"{name}: x", {feature: values})
    _check_items(model, f"{name}: x", np.array(ranges["x"], items.dtype))
    _warn_of_padded(f"{name}: x", padded)
    _check_targets(model, f"{name}: y", np.array(ranges["y"], targets.dtype))


def _check_inputs(model, name, inputs, training=False):
    _check_kind(name, inputs)
    if isinstance(inputs, dict) or as_array(inputs) is not None:
        check_names(model, name, as_features(inputs), training)
    items = as_array(items_of(inputs))
    _check_items(model, name, items)
    for feature, values in further_of(inputs).items():
        values = as_array(values)
        if values is None:
            continue
        if feature != "users":
            check_feature(f"{name}[{feature!r}]", values, items, feature)
            continue
        _check_one_per_row(f"{name}['users']", values, items)
        if training:
            _check_users(model, name, values)
    check_whole(model, name, further_of(inputs))


def _check_items(model, name, items):
    _check_range(name, "item ids", items, 0, model.num_items, _ITEMS)


def _check_targets(model, name, targets):
    _check_kind(name, targets)
    fix = _TARGETS if hasattr(model, "source") else _ITEMS
    _check_range(name, "item ids", as_array(targets), 0, model.num_targets, fix)


def _check_users(model, name, users):
    if model.num_users is not None:
        _check_range(
            f"{name}['users']", "users", users, -1, model.num_users - 1, _USERS
        )


def _check_one_per_row(name, users, items):
    if items is not None and users.shape != items.shape[:1]:
        reason = f"must have shape {items.shape[:1]}, one user for each row of items"
        raise ArgumentError(name, reason, received=users)


def _check_kind(name, inputs):
    """Refuses common mistakes for which Keras's own error is unhelpful."""
    if hasattr(inputs, "evaluation_arrays"):
        raise ArgumentError(
            name,
            "must be arrays or batches",
            "Use fit(windows.batches(256), "
            "validation_data=windows.evaluation_arrays()) and "
            "evaluate(*windows.evaluation_arrays()).",
            inputs,
        )
    if hasattr(inputs, "columns") and "item" in inputs.columns:
        raise ArgumentError(
            name,
            "must be arrays or batches, but is a log",
            "Make rows of it: data.make_windows(log, vocabulary, length=20)"
            ".batches(256).",
            inputs,
        )
    if isinstance(inputs, (list, tuple)) and any(
        isinstance(row, (list, tuple, str)) for row in inputs
    ):
        raise ArgumentError(
            name,
            "must be an array (batch, time) of item indices, but is a list",
            "data.make_windows(log, vocabulary, length=20).arrays() gives arrays; "
            "only recommend takes lists of raw ids.",
        )


def _check_rows(name, items):
    """Checks that there are rows. Warns of rows that end in padding, because the model
    predicts from the last position."""
    if len(items) == 0:
        reason = f"must have at least one row, but its shape is {items.shape}"
        raise ArgumentError(name, reason)
    _warn_of_padded(name, _padded_rows(items))


def _padded_rows(items):
    """Returns how many rows hold items but end in padding."""
    if items.ndim != 2 or not items.size:
        return 0
    return int(items[items[:, -1] == 0].any(axis=1).sum())


def _warn_of_padded(name, padded):
    if padded:
        warn(
            f"{padded} rows of {name} end in 0, the padding. Padding belongs on the "
            "left, because the next item is predicted from the last position. Use "
            "pad_sequences(..., padding='pre').",
        )


def _check_range(name, what, ids, first, last, fix):
    if ids is None or not ids.size:
        return
    if ids.ndim > 2:
        raise ArgumentError(
            name,
            f"has {what} of shape {ids.shape}, which must be (batch, time), or "
            "(batch,) if each row has one",
        )
    if not np.issubdtype(ids.dtype, np.integer):
        raise ArgumentError(
            name,
            f"has {what} of type {ids.dtype}, which must be integers",
            "Encode raw ids with a Vocabulary.",
        )
    _check_bounds(name, what, ids, first, last, fix)


def _check_bounds(name, what, ids, first, last, fix):
    if ids.size and not first <= ids.min() <= ids.max() <= last:
        known = (
            f"1 to {last}, and 0 for padding"
            if first == 0
            else (f"0 to {last}, and -1 for an unknown user")
        )
        raise ArgumentError(
            name,
            f"has {what} from {ids.min()} to {ids.max()}, but this model knows {known}",
            fix,
        )
