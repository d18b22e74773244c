"""The inputs of a model: item ids, or a dict of named features that includes them."""

from typing import Any

import numpy as np
from keras import ops

from stackrec_keras.data.further_columns import check_seconds
from stackrec_keras.errors import ArgumentError

Data = Any
"""What `keras.Model.fit` takes: arrays, a dict of arrays, or batches of either."""

Features = dict[str, Any]
"""Dict from feature name to tensor; `"items"` is always one of the names."""

_WITH_FEATURES = "Give a dict of all of them, or batches(..., features=model.features)."
TIMES = ("timestamps", "next_timestamps")
"""Tuple of strings, the features that hold seconds since 1970."""

LARGEST = 2**31 - 1
"""Integer, the largest integer that JAX has."""


def as_features(inputs: Data) -> Features:
    """Returns a model's inputs as a dict of features."""
    return inputs if isinstance(inputs, dict) else {"items": inputs}


def items_of(inputs: Data) -> Any:
    """Returns the item ids `(batch, time)` of a model's inputs."""
    return as_features(inputs).get("items")


def further_of(inputs: Data) -> dict[str, Any]:
    """Returns the features of a model's inputs other than the item ids."""
    features = as_features(inputs)
    return {name: features[name] for name in features if name != "items"}


def as_array(values: Any) -> np.ndarray | None:
    """Returns values as a NumPy array, or `None` for an iterable of batches."""
    if ops.is_tensor(values):
        return ops.convert_to_numpy(values)
    return np.asarray(values) if hasattr(values, "__array__") else None


def missing_features(model: Any, given: Any, training: bool = False) -> list[str]:
    """Returns the names of the features that a model needs and was not given.

    Args:
        model: The model, or an object with its `features` and `optional_features`.
        given: Names of features.
        training: Boolean, whether the features are for training, which needs all of
            them. Defaults to `False`.
    """
    optional = () if training else model.optional_features
    return [name for name in model.features if name not in {*given, *optional}]


def check_names(model: Any, name: str, given: Any, training: bool = False) -> None:
    """Checks that inputs have the features that a model takes.

    Args:
        model: As in `missing_features`. A model that ignores padding may also get the
            `"offset"` of `Batches`.
        name: String, the name of the argument that holds the inputs.
        given: Names of the features that the inputs have.
        training: As in `missing_features`.

    Raises:
        ArgumentError: If a feature is missing, or is not among those of the model.
    """
    known = {*model.features, *(("offset",) if model.ignores_padding else ())}
    unknown = [feature for feature in given if feature not in known]
    if unknown:
        takes = f"this model takes only {_listed(model.features)}"
        raise ArgumentError(name, f"has {_listed(unknown)}, but {takes}")
    check_complete(model, name, given, training)


def check_complete(model: Any, name: str, given: Any, training: bool = False) -> None:
    """Checks that inputs have all features that a model needs.

    Takes the arguments of `check_names`.

    Raises:
        ArgumentError: If a feature is missing.
    """
    missing = missing_features(model, given, training)
    if missing:
        trains = "trains on" if training else "needs"
        reason = f"lacks {_listed(missing)}: this model {trains}"
        reason = f"{reason} {_listed(model.features)}"
        raise ArgumentError(name, reason, _WITH_FEATURES)


def check_whole(model: Any, name: str, features: Features) -> None:
    """Checks that features that must be integers are integers.

    Args:
        model: The model, or an object with its `whole_features`.
        name: String, the name of the argument that holds the features.
        features: Dict of arrays or tensors.

    Raises:
        ArgumentError: If such a feature does not hold integers.
    """
    for feature in model.whole_features:
        kind = getattr(features.get(feature), "dtype", int)
        dtype = getattr(kind, "name", str(kind))
        if "int" not in dtype:
            array = f"{name}[{feature!r}]"
            raise ArgumentError(
                array,
                f"must hold integers, but is {dtype}",
                f"Convert it with np.floor({array}).astype('int64').",
            )


def check_feature(
    name: str, values: np.ndarray, items: np.ndarray | None, feature: str = ""
) -> None:
    """Checks the values of a feature other than the items and users.

    Args:
        name: String, what errors call the values, such as `"x['price']"`.
        values: Array.
        items: Array of the item ids of the same rows.
        feature: String, the name of the feature. Defaults to `""`.

    Raises:
        ArgumentError: If the values are not finite numbers, if they are integers that
            are too large, or if there is neither one value for each item nor one for
            each row.
    """
    if values.dtype.kind not in "biuf":
        fix = f"Convert it with np.asarray({name}, 'float32')."
        if values.dtype.kind == "M":
            fix = "Convert it to seconds with .astype('datetime64[s]').astype('int64')."
        raise ArgumentError(name, "must hold numbers", fix, values)
    if items is not None and values.shape not in (items.shape, items.shape[:1]):
        raise ArgumentError(
            name,
            f"must have the shape of the items, {items.shape}, or one value per row, "
            f"{items.shape[:1]}",
            received=values,
        )
    if not np.isfinite(values).all():
        found = values[~np.isfinite(values)][0]
        fix = "Replace what is not finite before you make rows."
        raise ArgumentError(name, f"must be finite, but has {found}", fix)
    if values.dtype.kind not in "iu" or not values.size:
        return
    if feature in TIMES:
        check_seconds(name, values)
    elif values.min() < -LARGEST or values.max() > LARGEST:
        reason = "must fit into 32 bits, as JAX's integers do"
        raise ArgumentError(name, reason, "Give floats.", values)


def _listed(names):
    return ", ".join(map(repr, names))
