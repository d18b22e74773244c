"""Tables whose rows a `keras.distribution.ModelParallel` splits over devices.

JAX splits an array only into equal parts, but a catalogue may have any number of items.
A split table therefore stores unused rows of zeros after its last row. Layers leave
these rows out of everything that they compute, so no gradient ever changes them. Nor do
files, `get_weights` or an extension of the catalogue see them.

This file overrides private methods of Keras' variables. (`stacking/in_place.py` names
those that growing needs.)
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from stackrec_keras.rounding import round_up
from stackrec_keras.types import Tensor


class SplitRows(keras.Variable):
    """A variable with unused rows after its last one.

    `value` and `shape` have all rows, as computations need them. `numpy` has only the
    rows that are used, and `assign` adds what is missing.
    """

    num_rows: int
    """Integer, the number of rows that are used."""

    shards: int
    """Integer, into how many parts the rows are split."""

    def assign(self, value: Any) -> Tensor:
        return super().assign(self._with_unused_rows(value))

    def numpy(self) -> np.ndarray:
        return np.array(self)

    def __array__(self, dtype: Any = None) -> np.ndarray:
        return np.asarray(self.value, dtype)[: self.num_rows]

    def _initialize(self, value):
        self.num_rows = value.shape[0]
        super()._initialize(self._with_unused_rows(value))

    def _with_unused_rows(self, value):
        value = self._convert_to_tensor(value, self._dtype)
        if len(value.shape) != len(self.shape) or value.shape[0] != self.num_rows:
            return value  # it has all rows; otherwise Keras refuses it
        return _padded(value, round_up(self.num_rows, self.shards))


class SplitsRows(keras.layers.Layer):
    """Base of a layer whose weights may be split by rows."""

    def add_weight(
        self, shape: Any = None, initializer: Any = None, *args: Any, **kwargs: Any
    ) -> keras.Variable:
        shards = _num_shards(f"{self.path}/{kwargs.get('name')}")
        if shards == 1:
            return super().add_weight(shape, initializer, *args, **kwargs)
        drawn = _DrawsUsedRows(keras.initializers.get(initializer), shape[0])
        stored = (round_up(shape[0], shards), *shape[1:])
        variable = super().add_weight(stored, drawn, *args, **kwargs)
        return _as_split(variable, shape[0], shards)


def used_rows(variable: Any) -> Tensor:
    """Returns the value of a variable without its unused rows."""
    value = ops.convert_to_tensor(variable)
    return value[: variable.num_rows] if isinstance(variable, SplitRows) else value


def used_shape(variable: keras.Variable) -> tuple:
    """Returns the shape of a variable without its unused rows."""
    if isinstance(variable, SplitRows):
        return (variable.num_rows, *variable.shape[1:])
    return tuple(variable.shape)


def with_unused_rows(variables: list, values: Sequence) -> list:
    """Returns arrays for `keras.Model.set_weights`, with unused rows where the variable
    has them."""
    if len(variables) != len(values):
        return list(values)  # Keras refuses them
    return [
        variable._with_unused_rows(value) if isinstance(variable, SplitRows) else value
        for variable, value in zip(variables, values)
    ]


def split_like(slot: keras.Variable, variable: keras.Variable) -> None:
    """Tells an optimizer's slot which rows of its variable are used."""
    if isinstance(variable, SplitRows) and tuple(slot.shape) == tuple(variable.shape):
        _as_split(slot, variable.num_rows, variable.shards)


class _DrawsUsedRows(keras.initializers.Initializer):
    """Draws the numbers that a table without unused rows would get."""

    def __init__(self, initializer, num_rows):
        self.initializer = initializer
        self.num_rows = num_rows

    def __call__(self, shape, dtype=None):
        drawn = self.initializer((self.num_rows, *shape[1:]), dtype=dtype)
        return _padded(drawn, shape[0])


def _as_split(variable, num_rows, shards):
    # Keras creates the variable itself, so its class can only be changed afterwards.
    variable.__class__ = SplitRows
    variable.num_rows, variable.shards = num_rows, shards
    return variable


def _num_shards(path):
    """Returns into how many parts the current distribution splits the rows of a
    variable."""
    distribution = keras.distribution.distribution()
    layout = None if distribution is None else distribution.get_tensor_layout(path)
    if layout is None or not layout.axes or layout.axes[0] is None:
        return 1
    mesh = layout.device_mesh
    return mesh.shape[mesh.axis_names.index(layout.axes[0])]


def _padded(value, rows):
    missing = rows - value.shape[0]
    return ops.pad(value, [(0, missing), *[(0, 0)] * (len(value.shape) - 1)])
