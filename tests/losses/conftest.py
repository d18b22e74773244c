import keras
import numpy as np
import pytest
from keras import ops

BATCH, TIME, DIM, NUM_ITEMS = 4, 5, 6, 20


class Case:
    """Random hidden states, table, bias and targets, some of them padding."""

    def __init__(self, num_items=NUM_ITEMS):
        rng = np.random.default_rng(1)
        self.hidden = rng.normal(size=(BATCH, TIME, DIM)).astype("float32")
        self.table = rng.normal(size=(num_items + 1, DIM)).astype("float32")
        self.bias = rng.normal(size=num_items + 1).astype("float32")
        self.y = rng.integers(1, num_items + 1, (BATCH, TIME)).astype("int32")
        self.y[0, :3] = 0
        self.y[2, :1] = 0

    @property
    def arrays(self):
        return self.y, self.hidden, self.table, self.bias

    def losses(self, include_padding=False):
        """Cross-entropy of each position, 0 without target, in float64."""
        logits = self.hidden.astype("float64") @ self.table.T + self.bias
        if not include_padding:
            logits[..., 0] = -np.inf
        norm = np.log(np.exp(logits).sum(-1))
        losses = norm - np.take_along_axis(logits, self.y[..., None], -1)[..., 0]
        return np.where(self.y > 0, losses, 0)


@pytest.fixture
def case():
    return Case()


@pytest.fixture
def make_case():
    return Case


@pytest.fixture
def gradients():
    """Function from (scalar function, float arrays) to (value, gradients)."""
    return _gradients


def _gradients(function, *arrays):
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        tensors = [tf.convert_to_tensor(a) for a in arrays]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        grads = [tf.convert_to_tensor(g) for g in tape.gradient(value, tensors)]
    elif backend == "jax":
        import jax

        # A state drawn from inside the function must not escape the trace.
        def stateless(*tensors):
            with keras.StatelessScope():
                return function(*tensors)

        tensors = [ops.convert_to_tensor(a) for a in arrays]
        value, grads = jax.value_and_grad(stateless, tuple(range(len(arrays))))(
            *tensors
        )
    else:
        import torch

        tensors = [ops.convert_to_tensor(a).requires_grad_() for a in arrays]
        value = function(*tensors)
        grads = torch.autograd.grad(value, tensors)
    to_numpy = ops.convert_to_numpy
    return float(to_numpy(value)), [to_numpy(g) for g in grads]


@keras.saving.register_keras_serializable(package="stackrec_keras_tests")
class TinyRecommender(keras.Model):
    """The smallest model that can be trained with a catalogue loss."""

    def __init__(self, catalogue_loss, num_items=NUM_ITEMS, **kwargs):
        super().__init__(**kwargs)
        self.catalogue_loss = catalogue_loss
        shape = (num_items + 1, DIM)
        self.embedding = self.add_weight(
            shape, keras.initializers.RandomNormal(seed=1), name="embedding"
        )
        self.table = self.add_weight(
            shape, keras.initializers.RandomNormal(seed=2), name="table"
        )
        self.bias = self.add_weight((shape[0],), "zeros", name="bias")
        self.seed_generator = keras.random.SeedGenerator(3)

    def call(self, x):
        return ops.take(self.embedding, x, axis=0)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        return self.catalogue_loss(
            y,
            y_pred,
            self.table,
            self.bias,
            sample_weight=sample_weight,
            training=training,
            seed=self.seed_generator,
        )


@pytest.fixture
def fit():
    """Function from a loss to its values over three epochs of a compiled fit,
    the batch size unknown."""

    def train(loss, learning_rate=0.1):
        rng = np.random.default_rng(0)
        # JAX compiles once more for each batch size.
        rows = 8 if keras.backend.backend() == "jax" else 10
        x = rng.integers(1, NUM_ITEMS + 1, (rows, TIME)).astype("int32")
        y = np.where(rng.random(x.shape) < 0.2, 0, x % NUM_ITEMS + 1)
        model = TinyRecommender(loss)
        model.compile(keras.optimizers.Adam(learning_rate))
        history = model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0)
        return history.history["loss"]

    return train
