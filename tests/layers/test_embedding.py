import keras
import numpy as np
import pytest
from keras import ops

from stackrec_keras.layers import Embedding

pytestmark = pytest.mark.every_backend


def test_an_item_that_occurs_twice_has_one_second_moment():
    # On TensorFlow, keras.layers.Embedding fails this: it sums the squares of the
    # two occurrences' gradients.
    layer = Embedding(4, 2, embeddings_initializer="ones")
    model = keras.Sequential([layer, keras.layers.Flatten()])
    model.compile(keras.optimizers.Adam(0.1, beta_2=0.5), Sum())
    model.train_on_batch(np.array([[1, 1, 2]]), np.zeros((1, 6), "float32"))
    (velocity,) = [v for v in model.optimizer.variables if "velocity" in v.path]
    expected = 0.5 * np.array([0, 2.0, 1.0, 0]) ** 2
    np.testing.assert_allclose(ops.convert_to_numpy(velocity)[:, 0], expected)


class Sum(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.sum(y_pred, axis=-1)
