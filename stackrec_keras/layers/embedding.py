import keras
from keras import ops

from stackrec_keras.layers.split_rows import SplitsRows
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class Embedding(SplitsRows, keras.layers.Embedding):
    """A `keras.layers.Embedding` whose gradient is a dense tensor.

    On TensorFlow, the gradient of a lookup is a list of rows, with two rows for an
    item that occurs twice in a batch. Keras' Adam then adds the squares of the two
    rows instead of squaring their sum, so its second moment is too small.
    """

    def call(self, inputs: Tensor) -> Tensor:
        ids = known_ids(ops.cast(inputs, "int32"), self.input_dim)
        rows = ops.take(with_dense_gradient(self.embeddings), ids, axis=0)
        return ops.cast(rows, self.compute_dtype)


def known_ids(ids: Tensor, size: int) -> Tensor:
    """On JAX, replaces ids outside a table of `size` rows by 0, the id of padding.

    JAX silently reads NaN outside a table, and a single training step then makes all
    weights NaN. On the other backends the ids are returned unchanged.
    """
    if keras.backend.backend() != "jax":
        return ids
    return ops.where(ops.logical_and(ids >= 0, ids < size), ids, 0)


def with_dense_gradient(variable: keras.Variable) -> Tensor:
    """Returns the value of a variable in a form whose gradient is a dense tensor."""
    return ops.convert_to_tensor(variable) * 1
