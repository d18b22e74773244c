from typing import Any

import keras
from keras import ops
from keras.initializers import Constant, RandomNormal, RandomUniform

from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class OutputTable(keras.layers.Layer):
    """One vector and one bias for each item: hidden states to item scores.

    Args:
        num_items: Integer; row 0 of the table is the padding's.
        dim: Integer, the width of the hidden states.
        fan_in: Boolean. `False` draws the table from a normal distribution of
            deviation 0.01 and starts the bias at 0.1; `True` draws both uniformly
            from +-1/sqrt(dim).
        **kwargs: The other arguments of a Keras layer.

    Call arguments:
        hidden: Tensor of shape `(..., dim)`.

    Returns:
        Tensor of shape `(..., num_items + 1)`, the padding's score at -inf.
    """

    def __init__(
        self, num_items: int, dim: int, fan_in: bool = False, **kwargs
    ) -> None:
        super().__init__(**kwargs)
        self.num_items = num_items
        self.dim = dim
        self.fan_in = fan_in

    def build(self, input_shape: tuple | None = None) -> None:
        bound = self.dim**-0.5
        self.table = self.add_weight(
            name="table",
            shape=(self.num_items + 1, self.dim),
            initializer=RandomUniform(-bound, bound)
            if self.fan_in
            else RandomNormal(stddev=0.01),
        )
        self.bias = self.add_weight(
            name="bias",
            shape=(self.num_items + 1,),
            initializer=RandomUniform(-bound, bound) if self.fan_in else Constant(0.1),
        )
        self.built = True

    def call(self, hidden: Tensor) -> Tensor:
        table = ops.convert_to_tensor(self.table)
        scores = ops.matmul(hidden, ops.transpose(table)) + self.bias
        padding = ops.arange(0, self.num_items + 1, dtype="int32") == 0
        return ops.where(padding, ops.cast(-float("inf"), scores.dtype), scores)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.num_items + 1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_items": self.num_items,
            "dim": self.dim,
            "fan_in": self.fan_in,
        }
