import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from stackrec_keras.arguments import check_integers
from stackrec_keras.layers.scan import scan_blocks
from stackrec_keras.layers.tracing import in_jax_trace, traced_once
from stackrec_keras.types import Context, Tensor


@dataclass(frozen=True)
class BlockWeight:
    """What one weight of a block is, without the depth axis.

    Args:
        shape: Tuple of integers, its shape in one block.
        initializer: Function from an integer seed to a Keras initializer; each
            block's slice is drawn with a seed of its own.
        release_copies: Whether StackRec's release copies this weight when it
            stacks (`inherit="paper"`). It does not copy gates and norms.
        gate: Whether a zero here takes the whole block out of the net.
    """

    shape: tuple
    initializer: Callable[[int], keras.initializers.Initializer]
    release_copies: bool = False
    gate: bool = False


class BlockStack(keras.layers.Layer):
    """A stack of equal blocks whose weights lie along one depth axis.

    Each weight of the blocks is one variable of shape `(depth, ...)`, so that
    growing the stack is one gather along axis 0, and the number, names and order
    of the variables never change.

    A subclass says what a block's weights are (`block_weights`) and what a block
    computes (`block`).

    Args:
        depth: Integer >= 1, the number of blocks.
        **kwargs: `name`, `dtype` and the other arguments of a Keras layer.

    Call arguments:
        x: Tensor of shape `(batch, time, dim)`.
        training: Boolean or `None`, as in Keras.
        context: Dict from name to tensor, what blocks may ask for beside the hidden
            states; or `None`. `"is_item"`, boolean `(batch, time)`, tells items from
            padding; the other names are those of the model's features.

    Returns:
        Tensor of shape `(batch, time, dim)`.

    Reference:
        [StackRec: Efficient Training of Very
        Deep Sequential Recommender Models by Iterative Stacking, SIGIR 2021](
        https://arxiv.org/abs/2012.07598)
    """

    cycle = 1
    """After how many blocks the kind of block repeats (its dilation, say)."""

    scans = True
    """Whether JAX compiles a cycle of blocks once and not each block by itself."""

    _initial_depth: int

    def __init__(self, depth: int, **kwargs) -> None:
        super().__init__(**kwargs)
        check_integers(depth=depth)
        self._initial_depth = int(depth)

    def block_weights(self) -> dict[str, BlockWeight]:
        """Returns a dict from the name of each weight of a block to its
        `BlockWeight`. An attribute of that name holds the stacked variable."""
        raise NotImplementedError(f"{type(self).__name__} defines block_weights().")

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
            weights: Dict from weight name to that block's own tensor.
            kind: Integer from 0 to `cycle - 1`, which kind of block this is.
            training: Boolean or `None`.
            context: As in `call`.

        Returns:
            Tensor of shape `(batch, time, dim)`.
        """
        raise NotImplementedError(f"{type(self).__name__} defines block().")

    @property
    def depth(self) -> int:
        """Integer, the number of blocks."""
        if not self.built:
            return self._initial_depth
        return next(iter(self.variables_by_name().values())).shape[0]

    @property
    def details(self) -> str:
        """String, what is worth saying of the blocks: `"dilations 1, 4"`, say."""
        return ""

    def describe(self) -> str:
        """Returns depth, details and parameters of the stack in one line."""
        details = f", {self.details}" if self.details else ""
        return (
            f"{self.name} ({type(self).__name__}): {self.depth} "
            f"{'block' if self.depth == 1 else 'blocks'}{details}; "
            f"{self.count_params() // self.depth:,} parameters a block"
        )

    def variables_by_name(self) -> dict[str, keras.Variable]:
        """Returns a dict from weight name to variable of shape `(depth, ...)`."""
        return {name: getattr(self, name) for name in self.block_weights()}

    def draw_weights(self, depth: int) -> dict[str, Tensor]:
        """Returns a dict from weight name to a newly drawn tensor `(depth, ...)`.

        A fan-based initializer would take the depth axis for a part of the fan, and
        one seed for all blocks would make them equal: so each block is drawn by
        itself.
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
        if self.scans and self.depth >= 2 * self.cycle and in_jax_trace(x):
            return scan_blocks(self, x, training, context)
        kinds = [self._block_of_kind(kind, training) for kind in range(self.cycle)]
        for index, weights in enumerate(self._slices()):
            x = kinds[index % self.cycle](x, weights, context)
        return x

    def _block_of_kind(self, kind, training):
        return traced_once(
            lambda x, weights, context: self.block(x, weights, kind, training, context)
        )

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "depth": self.depth}

    def _slices(self):
        # Splitting once, not indexing block by block: the gradient of an index is a
        # zero tensor of the whole stack, for each block anew, and on JAX that of
        # `ops.unstack` too.
        stacked = self.variables_by_name()
        split = [
            ops.split(ops.convert_to_tensor(variable), self.depth, axis=0)
            for variable in stacked.values()
        ]
        return [
            {name: ops.squeeze(part, axis=0) for name, part in zip(stacked, block)}
            for block in zip(*split)
        ]
