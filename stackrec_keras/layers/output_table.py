import keras
from keras import ops
from keras.initializers import Constant, RandomNormal


@keras.saving.register_keras_serializable(package="stackrec_keras")
class OutputTable(keras.layers.Layer):
    """One vector and one bias for each item: hidden states to item scores.

    Args:
        num_items: Integer; row 0 of the table is the padding's.
        dim: Integer, the width of the hidden states.
        **kwargs: The other arguments of a Keras layer.

    Call arguments:
        hidden: Tensor of shape `(..., dim)`.

    Returns:
        Tensor of shape `(..., num_items + 1)`, the padding's score at -inf.
    """

    def __init__(self, num_items, dim, **kwargs):
        super().__init__(**kwargs)
        self.num_items = num_items
        self.dim = dim

    def build(self, input_shape=None):
        self.table = self.add_weight(
            name="table",
            shape=(self.num_items + 1, self.dim),
            initializer=RandomNormal(stddev=0.01),
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.num_items + 1,), initializer=Constant(0.1)
        )
        self.built = True

    def call(self, hidden):
        table = ops.convert_to_tensor(self.table)
        scores = ops.matmul(hidden, ops.transpose(table)) + self.bias
        padding = ops.arange(self.num_items + 1) == 0
        return ops.where(padding, ops.cast(-float("inf"), scores.dtype), scores)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.num_items + 1)

    def get_config(self):
        return {**super().get_config(), "num_items": self.num_items, "dim": self.dim}
