"""Fills up batches, because JAX splits a batch over devices only into equal parts.

Rows of padding have no target. They change neither losses nor metrics.
"""

from typing import Any

import keras
import numpy as np

from stackrec_keras.data import Batches
from stackrec_keras.data.full_batches import FullBatches
from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.inputs import as_array, items_of
from stackrec_keras.rounding import round_up
from stackrec_keras.wording import counted

_DEFAULT_BATCH_SIZE = 32  # of Keras


def num_parts() -> int:
    """Returns into how many equal parts the current `keras.distribution` splits each
    batch that this process has."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        return 1
    parts = distribution.num_model_replicas
    if distribution.auto_shard_dataset:
        return parts
    return max(1, parts // distribution.num_processes)


def fill_up(
    x: Any, y: Any = None, sample_weight: Any = None, batch_size: int | None = None
) -> tuple:
    """Adds rows of padding to data, as many as equal parts need.

    Args:
        x: The inputs. Arrays and `Batches` are filled up; other data is returned as it
            is, and `check_parts` checks each of its batches.
        y: The targets, or `None`.
        sample_weight: The weights, or `None`.
        batch_size: Integer, rows per batch, for arrays. Defaults to `None`, as in
            Keras.

    Returns:
        A tuple `(x, y, sample_weight)`.

    Raises:
        ArgumentError: If `batch_size` is not a multiple of the number of parts.
    """
    parts = num_parts()
    if parts == 1:
        return x, y, sample_weight
    if isinstance(x, Batches):
        return FullBatches(x, parts), y, sample_weight
    if as_array(items_of(x)) is None:
        return x, y, sample_weight
    if (batch_size or _DEFAULT_BATCH_SIZE) % parts:
        raise ArgumentError(
            "batch_size",
            f"must be a multiple of {parts}, because {parts} devices share each batch",
            f"Give batch_size={round_up(batch_size or _DEFAULT_BATCH_SIZE, parts)}.",
            batch_size or _DEFAULT_BATCH_SIZE,
        )

    def filled(values):
        values = np.asarray(values)
        missing = round_up(len(values), parts) - len(values)
        return np.pad(values, [(0, missing), *[(0, 0)] * (values.ndim - 1)])

    return keras.tree.map_structure(
        lambda values: None if values is None else filled(values),
        (x, y, sample_weight),
        none_is_leaf=True,
    )


def fill_up_validation(validation: Any, batch_size: int | None) -> Any:
    """Does what `fill_up` does for the `validation_data` of `fit`."""
    if isinstance(validation, (list, tuple)):
        x, y, weights = keras.utils.unpack_x_y_sample_weight(tuple(validation))
        filled = fill_up(x, y, weights, batch_size)
        return filled[: len(validation)]
    return fill_up(validation)[0]


def num_rows(x: Any) -> int | None:
    """Returns the number of rows in arrays or `Batches`, or `None` for other data."""
    if isinstance(x, Batches):
        return x.num_rows
    items = as_array(items_of(x))
    return None if items is None else len(items)


def check_parts(name: str, items: Any) -> None:
    """Checks that a batch can be split into equal parts."""
    parts = num_parts()
    if len(items) % parts:
        raise ArgumentError(
            name,
            f"is a batch of {counted(len(items), 'row')}, but {parts} devices must "
            "share it equally",
            f"Give a multiple of {parts} rows. Or give arrays or `Batches`, to which "
            "rows of padding are added.",
        )


def refuse_parts(model: keras.Model, batches: Batches) -> None:
    """Refuses training batches that have parts of different width for several devices
    of TensorFlow, which can split a batch only if all its tensors have as many rows."""
    strategy = getattr(model, "distribute_strategy", None)
    devices = getattr(strategy, "num_replicas_in_sync", 1)
    if batches.group_by_length and devices > 1:
        raise ArgumentError(
            "group_by_length",
            "makes batches of several parts, which TensorFlow cannot split over "
            f"{devices} devices",
            "Train without it, on one device, or with KERAS_BACKEND=jax.",
            True,
        )


def refuse_validation_split(validation_split: float) -> None:
    """Refuses a split that would make parts of any number of rows."""
    if validation_split and num_parts() > 1:
        raise ArgumentError(
            "validation_split",
            "cannot be used with several devices, because it may leave batches that "
            "they cannot share equally",
            "Give validation_data.",
            validation_split,
        )
