"""Growing a model, and its optimizer with it, in place."""

import contextlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import keras
import numpy as np
from keras import ops

from stackrec_keras.arguments import check_choice, check_integer
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers import BlockStack
from stackrec_keras.layers.block_stack import BlockWeight
from stackrec_keras.layers.split_rows import used_shape
from stackrec_keras.stacking.gather import gather
from stackrec_keras.stacking.in_place import changing_shapes, replace_value
from stackrec_keras.stacking.methods import (
    StackingMethod,
    block_sources,
    check_deeper,
    check_top_blocks,
    get_method,
)
from stackrec_keras.stacking.model_stacks import (
    all_layers,
    block_stacks,
    depth,
    stacked_variables,
)
from stackrec_keras.stacking.optimizer_state import (
    carry_state,
    check_optimizers,
    optimizers_of_one_depth,
    reset_state,
)
from stackrec_keras.wording import counted


@dataclass(frozen=True)
class Growth:
    """How a model grows: which blocks are copied, and what is carried over.

    Args:
        method: String, a stacking method: see `block_sources`.
        top_blocks: Integer, how many of the top blocks to stack. Defaults to `None`,
            all blocks.
        cycle: Integer, the number of blocks after which the kinds of block repeat.
            Defaults to `None`: 1 with `inherit="paper"`, otherwise the stack's own
            cycle of dilations, so that every kernel keeps its dilation.
        inherit: `"all"` carries every weight that has a source, and gives each copy a
            gate of 0; `"all_but_gates"` carries the same, but sets the gates of all
            blocks to 0, so that old and new gates open together; `"paper"` carries what
            StackRec's reference implementation carries. Defaults to `"all"`.
        optimizer_state: `"carry"` moves the optimizer's state with the weights;
            `"reset"` resets its moments and their bias correction, while the learning
            rate and its schedule continue. Defaults to `"reset"`.
        seed: Integer, the seed of new random blocks. They depend only on the seed and
            on the old and new depth. Defaults to `None`, a different seed each time.

    Raises:
        ArgumentError: If an argument is wrong.
    """

    method: str
    top_blocks: int | None = None
    cycle: int | None = None
    inherit: str = "all"
    optimizer_state: str = "reset"
    seed: int | None = None

    def __post_init__(self):
        get_method(self.method)
        check_choice("inherit", self.inherit, ("all", "all_but_gates", "paper"))
        check_choice("optimizer_state", self.optimizer_state, ("carry", "reset"))
        for name, least in (("top_blocks", 1), ("cycle", 1), ("seed", None)):
            value = getattr(self, name)
            if value is not None:
                check_integer(name, value, least)
        check_top_blocks(self.method, self.top_blocks)

    @property
    def stacking_method(self) -> StackingMethod:
        """The `StackingMethod` that `method` names."""
        return get_method(self.method)

    @property
    def carries_all(self) -> bool:
        """Boolean, whether every weight that has a source is carried over."""
        return self.inherit != "paper" or self.stacking_method.carries_all

    @property
    def closes_gates(self) -> bool:
        """Boolean, whether the gates of old blocks are reset to 0."""
        keeps_gates = self.stacking_method.carries_all
        return self.inherit == "all_but_gates" and not keeps_gates

    def check(self, model: keras.Model, depths: Sequence[int]) -> None:
        """Checks that a model can grow through the given depths, one after the other.

        Args:
            model: A Keras model with `BlockStack`s among its layers.
            depths: Integers, in order. Depths that the model has already reached are
                ignored.

        Raises:
            ArgumentError: If the model cannot grow that way.
        """
        now = depth(model)
        path = [now, *(deeper for deeper in depths if deeper > now)]
        for stack in block_stacks(model):
            for old, new in pairwise(path):
                self.sources(stack, old, new)

    def sources(self, stack: BlockStack, old: int, new: int) -> list[int | None]:
        """Returns the source of each of the `new` blocks of a stack."""
        gated = any(weight.gate for weight in stack.block_weights().values())
        if self.stacking_method.carries_all and not gated:
            raise ArgumentError(
                "method",
                "sets the gates of new blocks, but the blocks of this model have no "
                "gates",
                "Build it with rezero=True, or use stackC or stackR.",
                self.method,
            )
        if self.closes_gates and not gated:
            raise ArgumentError(
                "inherit",
                "sets gates to 0, but the blocks of this model have no gates",
                'Build it with rezero=True, or use inherit="all".',
                self.inherit,
            )
        cycle = self.cycle
        if cycle is None:
            cycle = stack.cycle if self.carries_all else 1
        return block_sources(self.method, old, new, self.top_blocks, cycle)

    def weight_sources(
        self, weight: BlockWeight, blocks: list[int | None]
    ) -> list[int | None]:
        """Returns the source of each slice of a grown weight, given the sources of the
        blocks."""
        method = self.stacking_method
        if not self.carries_all:
            copied = weight.release_copies or method.release_copies_whole_blocks
            return blocks if copied else [None] * len(blocks)
        if weight.gate and self.closes_gates:
            return [None] * len(blocks)
        if weight.gate and not method.shares_gates:
            # A copy starts with a gate of 0, like a new block, and changes nothing at
            # first (except through its norms, if blocks normalize after adding).
            return [None if s in blocks[:i] else s for i, s in enumerate(blocks)]
        return blocks

    def redrawn_layers(self, model: keras.Model) -> list[keras.layers.Layer]:
        """Returns the layers of a model, other than its stacks, that are not carried
        over."""
        rest = [x for x in all_layers(model) if not isinstance(x, BlockStack)]
        if not self.stacking_method.keeps_rest:
            return rest
        if self.carries_all:
            return []
        return [x for x in rest if not isinstance(x, keras.layers.Embedding)]


def grow(model: keras.Model, growth: Growth, num_blocks: int | None = None) -> None:
    """Grows all block stacks of a model to `num_blocks` blocks, in place.

    Args:
        model: A Keras model with `BlockStack`s among its layers, whose config has
            `num_blocks`.
        growth: A `Growth`.
        num_blocks: Integer, the new depth. Defaults to `None`: twice the present depth,
            or `top_blocks` more.

    Raises:
        ArgumentError: If the model cannot grow to that depth, by that method or with
            its optimizer. The model then stays unchanged.
    """
    old = depth(model)
    new = old + (growth.top_blocks or old) if num_blocks is None else num_blocks
    check_integer("num_blocks", new, least=1)
    check_deeper("num_blocks", old, new)
    sources = _sources(model, growth, old, new)
    with changing_shapes(model) as optimizers:
        check_optimizers(optimizers, model)
        fresh = _fresh_weights(model, growth, old, new)
        shares = _gate_shares(model, growth, sources)
        if growth.optimizer_state == "reset":
            reset_state(model)
        set_slices(model, optimizers, sources, fresh, shares)


def set_depth(model: keras.Model, num_blocks: int) -> None:
    """Changes a model's depth before its weights are loaded.

    Raises:
        ValueError: If the state of the model's optimizer cannot change its depth.
    """
    old = depth(model)
    if num_blocks == old:
        return
    of_one_depth = optimizers_of_one_depth(model)
    if of_one_depth:
        raise ValueError(
            f"{type(of_one_depth[0]).__name__} cannot follow the model to the "
            f"{counted(num_blocks, 'block')} of these weights, because its state does "
            "not have one value per element of a variable. Build the model with "
            f"num_blocks={num_blocks}."
        )
    blocks = [i % old for i in range(num_blocks)]
    sources = {id(variable): blocks for variable in stacked_variables(model)}
    with changing_shapes(model) as optimizers:
        set_slices(model, optimizers, sources, {})


def set_slices(model, optimizers, sources, fresh, shares=None):
    """Replaces the slices of variables and of their optimizer slots along axis 0.

    Args:
        model: The model, in the context of `changing_shapes`.
        optimizers: List of optimizers, as `changing_shapes` yields it.
        sources: Dict from `id(variable)` to a list with the source of each new slice:
            the index of an old slice, or `None`.
        fresh: Dict from `id(variable)` to an array of the new shape. Its slices are
            used where a source is `None`.
        shares: Dict from `id(variable)` to an array with a factor for each new slice.
            Variables without an entry are not scaled. Defaults to `None`, no entries.
    """
    shares = shares or {}
    variables = [v for v in model.weights if id(v) in sources]
    new_values = {}
    for v in variables:
        grown = gather(ops.convert_to_numpy(v), sources[id(v)], fresh.get(id(v)))
        new_values[id(v)] = grown * shares[id(v)] if id(v) in shares else grown
    carry_state(optimizers, sources, new_values, shares)
    for v in variables:
        replace_value(v, new_values[id(v)])


def _sources(model, growth, old, new):
    """Returns a dict from `id(variable)` to a list with the source of each new slice.
    It has only the variables that change."""
    sources = {}
    for stack in block_stacks(model):
        blocks = growth.sources(stack, old, new)
        for name, weight in stack.block_weights().items():
            sources[id(getattr(stack, name))] = growth.weight_sources(weight, blocks)
    for layer in growth.redrawn_layers(model):
        given = {id(variable) for variable in getattr(layer, "given_variables", ())}
        for variable in layer.weights:
            if id(variable) in given:
                continue
            sources[id(variable)] = [None] * (used_shape(variable) or (0,))[0]
    return sources


def _gate_shares(model, growth, sources):
    """Returns a dict from `id(gate)` to an array: the fraction of the old gate that
    each new block gets."""
    if not growth.stacking_method.shares_gates:
        return {}
    gates = [
        id(getattr(stack, name))
        for stack in block_stacks(model)
        for name, weight in stack.block_weights().items()
        if weight.gate
    ]
    return {gate: _equal_shares(sources[gate]) for gate in gates}


def _equal_shares(sources):
    copies = Counter(sources)
    shares = [1 if source is None else 1 / copies[source] for source in sources]
    return np.array(shares, dtype="float32")


def _fresh_weights(model, growth, old, new):
    """Draws weights at the depth `new`, as a dict from `id(variable)` to value."""
    fresh = {}
    with _initializers_seeded(growth.seed, old, new):
        if growth.redrawn_layers(model):
            twin = type(model).from_config(model.get_config())
            for variable, drawn in zip(model.weights, twin.weights):
                fresh[id(variable)] = ops.convert_to_numpy(drawn)
        for stack in block_stacks(model):
            for name, value in stack.draw_weights(new).items():
                fresh[id(getattr(stack, name))] = ops.convert_to_numpy(value)
    return fresh


@contextlib.contextmanager
def _initializers_seeded(seed, old, new):
    # Initializers without a seed take one from Python's `random`.
    if seed is None:
        seed = random.randrange(2**31)
    state = random.getstate()
    random.seed(f"{seed} {old} {new}")
    try:
        yield
    finally:
        random.setstate(state)
