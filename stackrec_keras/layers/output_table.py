from typing import Any

import keras
from keras import ops
from keras.initializers import Constant, RandomNormal, RandomUniform

from stackrec_keras.arguments import check_bools, check_integers
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class OutputTable(keras.layers.Layer):
    """The output embedding: turns hidden states into item scores.

    The score of an item is the product of the hidden state and the item's vector,
    plus the item's bias. Row 0 belongs to the padding.

    Args:
        num_items: Integer, the number of items, without the padding.
        dim: Integer, the width of the hidden states.
        fan_in: Boolean, how the weights start. `False` draws the vectors from a
            normal distribution with standard deviation 0.01 and sets the biases to
            0.1; `True` draws both uniformly between -1/sqrt(dim) and 1/sqrt(dim).
            Defaults to `False`.
        **kwargs: The other arguments of `keras.layers.Layer`.

    Call arguments:
        hidden: Tensor of shape `(..., dim)`.

    Returns:
        Tensor of shape `(..., num_items + 1)`. The score of the padding is -inf.
    """

    def __init__(
        self, num_items: int, dim: int, fan_in: bool = False, **kwargs
    ) -> None:
        super().__init__(**kwargs)
        check_integers(num_items=num_items, dim=dim)
        check_bools(fan_in=fan_in)
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
