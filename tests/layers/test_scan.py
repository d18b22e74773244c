import keras
import numpy as np
import pytest
from keras import ops

from stackrec_keras.layers import (
    BlockStack,
    BlockWeight,
    DilatedResidualStack,
    HSTUStack,
    LiGRStack,
    ReZeroTransformerStack,
)
from stackrec_keras.layers import causal_convolution as convolution
from stackrec_keras.layers import dilated_residual_stack as dilated

pytestmark = [
    pytest.mark.every_backend,
    pytest.mark.skipif(
        keras.backend.backend() != "jax", reason="other backends apply block by block"
    ),
]


class Shared(BlockStack):
    """Blocks that share a matrix, and drop units; two kinds of them in turn."""

    cycle = 2

    def __init__(self, depth):
        super().__init__(depth)
        self.seeds = keras.random.SeedGenerator(0)
        self.kinds = []

    def build(self, input_shape=None):
        super().build(input_shape)
        self.matrix = self.add_weight(shape=(3, 3), initializer="orthogonal")

    def block_weights(self):
        return {"scale": BlockWeight((), lambda seed: keras.initializers.Ones())}

    def block(self, x, weights, kind, training, context=None):
        self.kinds.append(kind)
        h = keras.random.dropout(ops.matmul(x, self.matrix), 0.5, seed=self.seeds)
        return x + weights["scale"] * (kind + 1) * h


STACKS = {
    "shared": lambda: Shared(5),
    "transformer": lambda: ReZeroTransformerStack(3, 3, dropout=0.5, rezero=False),
    "hstu": lambda: HSTUStack(3, 3, 4, dropout=0.5, time_bias=False),
    "hstu in chunks": lambda: HSTUStack(3, 3, 4, time_bias=False, chunk_size=2),
    "ligr": lambda: LiGRStack(3, 3, dropout=0.5),
    "convolutions": lambda: DilatedResidualStack(5, 3, 2, (1, 2), rezero=False),
}


@pytest.mark.parametrize("name", STACKS)
def test_a_loop_trains_as_blocks_one_by_one_do(name, monkeypatch):
    looped = trained(STACKS[name], scans=True, monkeypatch=monkeypatch)
    one_by_one = trained(STACKS[name], scans=False, monkeypatch=monkeypatch)
    for (path, value), expected in zip(looped, [v for _, v in one_by_one]):
        np.testing.assert_allclose(value, expected, 1e-4, 1e-5, err_msg=path)


def test_a_cycle_is_traced_once_and_the_rest_by_itself():
    stack = Shared(9)
    model = keras.Sequential([stack])
    model.predict(np.ones((2, 4, 3), "float32"), verbose=0)
    stack.kinds.clear()
    model.predict(np.ones((3, 4, 3), "float32"), verbose=0)
    assert len(stack.kinds) < stack.depth


def test_a_call_outside_of_a_trace_needs_no_compiling():
    stack = Shared(9)
    stack(np.ones((2, 4, 3), "float32"))
    assert stack.kinds == [0, 1, 0, 1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize("is_fast", [True, False])
def test_convolutions_are_looped_where_they_are_matrix_products(is_fast, monkeypatch):
    for module in (convolution, dilated):
        monkeypatch.setattr(module, "has_fast_convolution", lambda: is_fast)
    assert DilatedResidualStack(4, 3).scans is not is_fast


def trained(build, scans, monkeypatch):
    """Returns path and value of all variables after two steps of training."""
    for module in (convolution, dilated):
        monkeypatch.setattr(module, "has_fast_convolution", lambda: not scans)
    for kind in (BlockStack, Shared, ReZeroTransformerStack):
        monkeypatch.setattr(kind, "scans", scans)
    keras.utils.set_random_seed(0)
    stack = build()
    stack.build((None, 4, 3))
    model = keras.Sequential([stack])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    x, y = np.random.default_rng(0).normal(size=(2, 8, 4, 3)).astype("float32")
    model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0)
    variables = [*model.variables, *model.optimizer.variables]
    return [(v.path, ops.convert_to_numpy(v)) for v in variables]
