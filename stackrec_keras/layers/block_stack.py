import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from stackrec_keras.arguments import check_integers
from stackrec_keras.layers.scan import scan_blocks
from stackrec_keras.layers.tracing import is_traced_by_jax, trace_once
from stackrec_keras.types import Context, Tensor
from stackrec_keras.wording import counted


@dataclass(frozen=True)
class BlockWeight:
    """One weight of a block, described without the depth axis.

    Args:
        shape: Tuple of integers, the weight's shape in one block.
        initializer: Function from an integer seed to a Keras initializer. It is
            called once for each block, each time with a different seed.
        release_copies: Boolean, whether `inherit="paper"` copies this weight to new
            blocks, as StackRec's reference implementation does with all weights but
            gates and norms. Defaults to `False`.
        gate: Boolean, whether this weight scales a branch of the block, so that a
            zero switches the branch off. Defaults to `False`.
    """

    shape: tuple
    initializer: Callable[[int], keras.initializers.Initializer]
    release_copies: bool = False
    gate: bool = False


class BlockStack(keras.layers.Layer):
    """A stack of identical blocks whose weights share one depth axis.

    Each weight of the blocks is one variable of shape `(depth, ...)`. Growing the
    stack is therefore one gather along axis 0, and the number, names and order of
    the variables never change.

    A subclass defines the weights of a block (`block_weights`) and what a block
    computes (`block`).

    Args:
        depth: Integer, the number of blocks, at least 1.
        **kwargs: The other arguments of `keras.layers.Layer`, such as `name` and
            `dtype`.

    Call arguments:
        x: Tensor of shape `(batch, time, dim)`.
        training: Boolean or `None`, as in Keras. Defaults to `None`.
        context: Dict from name to tensor, or `None`: what blocks may read besides the
            hidden states. `"is_item"`, a boolean tensor of shape `(batch, time)`, is
            `False` at padding; the other names are the model's features. Defaults to
            `None`.

    Returns:
        Tensor of shape `(batch, time, dim)`.

    Example:

    ```python
    class DenseStack(sr.layers.BlockStack):
        # Each block computes y = x + gate * relu(x @ kernel).
        def __init__(self, depth, dim, **kwargs):
            super().__init__(depth, **kwargs)
            self.dim = dim

        def block_weights(self):
            return {
                "kernel": sr.layers.BlockWeight(
                    (self.dim, self.dim),
                    lambda seed: keras.initializers.GlorotUniform(seed=seed),
                ),
                "gate": sr.layers.BlockWeight(
                    (), lambda seed: keras.initializers.Zeros(), gate=True
                ),
            }

        def block(self, x, weights, kind, training, context=None):
            h = keras.ops.relu(keras.ops.matmul(x, weights["kernel"]))
            return x + weights["gate"] * h

        def get_config(self):
            return {**super().get_config(), "dim": self.dim}
    ```

    Reference:
        [StackRec: Efficient Training of Very
        Deep Sequential Recommender Models by Iterative Stacking, SIGIR 2021](
        https://arxiv.org/abs/2012.07598)
    """

    cycle = 1
    """Integer, the number of kinds of block that alternate, such as different
    dilations. Block `i` has kind `i % cycle`."""

    scans = True
    """Boolean, whether JAX compiles one cycle and loops over it, instead of compiling
    every block. A stack of up to two cycles is faster without the loop."""

    _initial_depth: int

    def __init__(self, depth: int, **kwargs) -> None:
        super().__init__(**kwargs)
        check_integers(depth=depth)
        self._initial_depth = int(depth)

    def block_weights(self) -> dict[str, BlockWeight]:
        """Returns the weights of a block, a dict from name to `BlockWeight`.

        Each name becomes an attribute of the stack, which holds the stacked variable.
        """
        raise NotImplementedError(f"{type(self).__name__} must define block_weights().")

    def block(
        self,
        x: Tensor,
        weights: dict[str, Tensor],
        kind: int,
        training: bool | None,
        context: Context = None,
    ) -> Tensor:
        """Applies one block.

        Args:
            x: Tensor of shape `(batch, time, dim)`.
            weights: Dict from weight name to this block's slice of that weight.
            kind: Integer from 0 to `cycle - 1`, the kind of this block.
            training: Boolean or `None`, as in `call`.
            context: Dict or `None`, as in `call`. Defaults to `None`.

        Returns:
            Tensor of shape `(batch, time, dim)`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define block().")

    @property
    def depth(self) -> int:
        """Integer, the number of blocks."""
        if not self.built:
            return self._initial_depth
        return next(iter(self.variables_by_name().values())).shape[0]

    @property
    def details(self) -> str:
        """String, what `describe` says about the blocks, such as `"dilations 1, 4"`."""
        return ""

    def describe(self) -> str:
        """Returns one line with the stack's depth, details and parameters."""
        details = f", {self.details}" if self.details else ""
        return (
            f"{self.name} ({type(self).__name__}): {counted(self.depth, 'block')}"
            f"{details}; {self.count_params() // self.depth:,} parameters per block"
        )

    def variables_by_name(self) -> dict[str, keras.Variable]:
        """Returns a dict from weight name to the variable of shape `(depth, ...)`."""
        return {name: getattr(self, name) for name in self.block_weights()}

    def draw_weights(self, depth: int) -> dict[str, Tensor]:
        """Draws weights for new blocks.

        Each block is drawn separately: a fan-based initializer would count the depth
        axis as part of the fan, and one seed for all blocks would make them equal.

        Args:
            depth: Integer, the number of blocks to draw.

        Returns:
            Dict from weight name to a tensor of shape `(depth, ...)`.
        """
        return {
            name: ops.stack(
                [
                    weight.initializer(random.randrange(2**31))(
                        weight.shape, self.variable_dtype
                    )
                    for _ in range(depth)
                ]
            )
            for name, weight in self.block_weights().items()
        }

    def build(self, input_shape: tuple | None = None) -> None:
        for name, values in self.draw_weights(self._initial_depth).items():
            variable = self.add_weight(
                name=name,
                shape=values.shape,
                initializer=lambda shape, dtype, values=values: values,
            )
            setattr(self, name, variable)
        self.built = True

    def call(
        self, x: Tensor, training: bool | None = None, context: Context = None
    ) -> Tensor:
        if self.scans and self.depth > 2 * self.cycle and is_traced_by_jax(x):
            return scan_blocks(self, x, training, context)
        kinds = [self._block_of_kind(kind, training) for kind in range(self.cycle)]
        for index, weights in enumerate(self._weights_of_each_block()):
            x = kinds[index % self.cycle](x, weights, context)
        return x

    def _block_of_kind(self, kind, training):
        return trace_once(
            lambda x, weights, context: self.block(x, weights, kind, training, context)
        )

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "depth": self.depth}

    def _weights_of_each_block(self):
        # One split is faster than indexing each block: the gradient of an index is a
        # tensor as large as the whole stack, with zeros for the other blocks.
        # On JAX, `ops.unstack` has the same drawback.
        stacked = self.variables_by_name()
        split = [
            ops.split(ops.convert_to_tensor(variable), self.depth, axis=0)
            for variable in stacked.values()
        ]
        return [
            {name: ops.squeeze(part, axis=0) for name, part in zip(stacked, block)}
            for block in zip(*split)
        ]
