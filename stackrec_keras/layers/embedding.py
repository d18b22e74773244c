import keras
from keras import ops

from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class Embedding(keras.layers.Embedding):
    """`keras.layers.Embedding` with the gradient of a dense tensor.

    On TensorFlow the gradient of a lookup is a list of rows, an item that occurs
    twice in a batch having two. Keras' Adam then sums the squares of the two where
    it should square their sum, and its second moment is too small.
    """

    def call(self, inputs: Tensor) -> Tensor:
        ids = known_ids(ops.cast(inputs, "int32"), self.embeddings.shape[0])
        rows = ops.take(with_dense_gradient(self.embeddings), ids, axis=0)
        return ops.cast(rows, self.compute_dtype)


def known_ids(ids: Tensor, size: int) -> Tensor:
    """Returns ids of a table of `size` rows that can do no harm.

    Beyond the ends of a table JAX reads NaN, in a compiled function without a word, and
    one step makes all weights NaN. There 0, the padding, stands in for such ids; other
    backends get them as they are.
    """
    if keras.backend.backend() != "jax":
        return ids
    return ops.where(ops.logical_and(ids >= 0, ids < size), ids, 0)


def with_dense_gradient(variable: keras.Variable) -> Tensor:
    """Returns the value of a variable such that no optimizer sees a sparse gradient."""
    return ops.convert_to_tensor(variable) * 1
