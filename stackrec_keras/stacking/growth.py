"""Growing a model, and its optimizer with it, in place."""

import contextlib
import random
from collections import Counter
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from stackrec_keras.arguments import check_integer
from stackrec_keras.layers import BlockStack
from stackrec_keras.stacking.gather import gather
from stackrec_keras.stacking.in_place import changing_shapes, replace_value
from stackrec_keras.stacking.methods import (
    block_sources,
    check_top_blocks,
    get_method,
)
from stackrec_keras.stacking.optimizer_state import (
    carry_state,
    check_optimizers,
    optimizers_of_one_depth,
    reset_state,
)

INHERITS = ("all", "all_but_gates", "paper")


@dataclass(frozen=True)
class Growth:
    """How a net grows: what feeds the new blocks, and what is carried over.

    Args:
        method: String, a stacking method (see `block_sources`).
        top_blocks: Integer or `None`, stack only that many of the top blocks.
        cycle: Integer or `None`, after how many blocks their kind repeats. `None`:
            the stack's own cycle of dilations, so that no kernel moves to another
            dilation, or 1 with `inherit="paper"`.
        inherit: `"all"` carries every weight that has a source, and puts a copy
            in with its gate at 0; `"all_but_gates"` carries the same, and puts all
            blocks in with their gates at 0, so that old and new ones open together;
            `"paper"` carries what StackRec's release does.
        optimizer_state: `"carry"` moves the optimizer's state with the weights.
            `"reset"` begins its moments again, and their bias correction; the
            learning rate and its schedule go on.
        seed: Integer or `None`. The new random blocks depend on it and on the two
            depths alone; `None` draws another seed each time.
    """

    method: str
    top_blocks: int | None = None
    cycle: int | None = None
    inherit: str = "all"
    optimizer_state: str = "carry"
    seed: int | None = None

    def __post_init__(self):
        get_method(self.method)
        _check_choice("inherit", self.inherit, INHERITS)
        _check_choice("optimizer_state", self.optimizer_state, ("carry", "reset"))
        for name, least in (("top_blocks", 1), ("cycle", 1), ("seed", None)):
            value = getattr(self, name)
            if value is not None:
                check_integer(name, value, least)
        check_top_blocks(self.method, self.top_blocks)

    @property
    def carries_all(self) -> bool:
        """Boolean, whether all is carried over that has a source."""
        return self.inherit != "paper" or get_method(self.method).carries_all

    @property
    def closes_gates(self) -> bool:
        """Boolean, whether the gates of old blocks start at 0 again."""
        return (
            self.inherit == "all_but_gates" and not get_method(self.method).carries_all
        )

    def sources(self, stack: BlockStack, old: int, new: int) -> list[int | None]:
        """Returns the source of each of the `new` blocks of a stack."""
        gated = any(weight.gate for weight in stack.block_weights().values())
        if get_method(self.method).carries_all and not gated:
            raise ValueError(
                f"method={self.method!r} sets the gates of new blocks, and the blocks "
                "of this model have none. Build it with rezero=True, or take stackC or "
                "stackR."
            )
        if self.closes_gates and not gated:
            raise ValueError(
                f"inherit={self.inherit!r} sets gates to 0, and the blocks of this "
                'model have none. Build it with rezero=True, or take inherit="all".'
            )
        cycle = self.cycle
        if cycle is None:
            cycle = stack.cycle if self.carries_all else 1
        return block_sources(self.method, old, new, self.top_blocks, cycle)


def grow(model: keras.Model, growth: Growth, num_blocks: int | None = None) -> None:
    """Grows all block stacks of a model to `num_blocks` blocks, in place.

    Args:
        model: A Keras model with `BlockStack`s among its layers, whose config has
            `num_blocks`.
        growth: A `Growth`.
        num_blocks: Integer, the new depth. Defaults to twice the depth, or to
            `top_blocks` more.

    Raises:
        ValueError: If depths, method or optimizer do not fit; the model is
            untouched then.
    """
    old = depth(model)
    new = old + (growth.top_blocks or old) if num_blocks is None else num_blocks
    sources = _weight_sources(model, growth, old, new)
    with changing_shapes(model) as optimizers:
        check_optimizers(optimizers, model)
        fresh = _fresh_weights(model, growth, old, new)
        shares = _gate_shares(model, growth, sources)
        if growth.optimizer_state == "reset":
            reset_state(model)
        set_slices(model, optimizers, sources, fresh, shares)


def set_depth(model: keras.Model, num_blocks: int) -> None:
    """Gives a model another depth before its weights are set from elsewhere.

    Raises:
        ValueError: If the state of the model's optimizer fits one depth alone.
    """
    old = depth(model)
    if num_blocks == old:
        return
    of_one_depth = optimizers_of_one_depth(model)
    if of_one_depth:
        raise ValueError(
            f"{type(of_one_depth[0]).__name__} cannot take on the {num_blocks} blocks "
            "of these weights: its state is not one number for each number of a "
            f"variable. Build the model with num_blocks={num_blocks}."
        )
    sources = {
        id(variable): [i % old for i in range(num_blocks)]
        for variable in stacked_variables(model)
    }
    with changing_shapes(model) as optimizers:
        set_slices(model, optimizers, sources, {})


def set_slices(model, optimizers, sources, fresh, shares=None):
    """Gives variables, and their optimizer slots, other slices along axis 0.

    Args:
        model: The model, in the context of `changing_shapes`.
        optimizers: List of optimizers, the value of that context.
        sources: Dict from `id(variable)` to the source of each of its new slices,
            an index or `None`.
        fresh: Dict from `id(variable)` to the values for the `None`s, of the new
            shape.
        shares: Dict from `id(variable)` to an array of what each of its new slices
            has of its source; where a variable is missing, all.
    """
    shares = shares or {}
    variables = [v for v in model.weights if id(v) in sources]
    new_values = {
        id(v): _grown(ops.convert_to_numpy(v), sources[id(v)], fresh.get(id(v)))
        for v in variables
    }
    for key, share in shares.items():
        new_values[key] = new_values[key] * share
    carry_state(optimizers, sources, new_values, shares)
    for variable in variables:
        replace_value(variable, new_values[id(variable)])


def block_stacks(model):
    """Returns the `BlockStack`s of a model."""
    return [layer for layer in all_layers(model) if isinstance(layer, BlockStack)]


def stacked_variables(model):
    """Returns the variables of a model whose first axis is the depth."""
    return [
        variable
        for stack in block_stacks(model)
        for variable in stack.variables_by_name().values()
    ]


def all_layers(model):
    """Returns the layers of a model, those of a model within it in its place."""
    layers = []
    for layer in model.layers:
        layers += all_layers(layer) if isinstance(layer, keras.Model) else [layer]
    return layers


def depth(model: keras.Model) -> int:
    """Returns the number of blocks of each stack of a model."""
    stacks = block_stacks(model)
    if not stacks:
        raise ValueError(
            f"{type(model).__name__} has no BlockStack among its layers, so there is "
            "nothing to grow. Build the model on a BlockStack."
        )
    return stacks[0].depth


def _weight_sources(model, growth, old, new):
    """Dict from `id(variable)` to the source of each of its new slices, for all
    variables that do not stay as they are."""
    sources = {}
    for stack in block_stacks(model):
        of_blocks = growth.sources(stack, old, new)
        weights = stack.block_weights()
        for name, variable in stack.variables_by_name().items():
            sources[id(variable)] = _slice_sources(weights[name], of_blocks, growth)
    for layer in _layers_drawn_anew(model, growth):
        for variable in layer.weights:
            sources[id(variable)] = [None] * (variable.shape or (0,))[0]
    return sources


def _slice_sources(weight, of_blocks, growth):
    if not growth.carries_all:
        whole = get_method(growth.method).release_copies_whole_blocks
        copied = weight.release_copies or whole
        return of_blocks if copied else [None] * len(of_blocks)
    if weight.gate and growth.closes_gates:
        return [None] * len(of_blocks)
    if weight.gate and not get_method(growth.method).shares_gates:
        # A copy joins with the gate of a new block, and so changes nothing at first
        # (but for its norms, where it normalizes after adding).
        return [
            None if source in of_blocks[:i] else source
            for i, source in enumerate(of_blocks)
        ]
    return of_blocks


def _gate_shares(model, growth, sources):
    """Dict from `id(gate)` to each new block's share of its source's gate."""
    shares = {}
    if not get_method(growth.method).shares_gates:
        return shares
    for stack in block_stacks(model):
        for name, weight in stack.block_weights().items():
            variable = getattr(stack, name)
            if weight.gate:
                copies = Counter(sources[id(variable)])
                shares[id(variable)] = np.array(
                    [1 if s is None else 1 / copies[s] for s in sources[id(variable)]],
                    dtype="float32",
                )
    return shares


def _layers_drawn_anew(model, growth):
    rest = [x for x in all_layers(model) if not isinstance(x, BlockStack)]
    if not get_method(growth.method).keeps_rest:
        return rest
    if growth.carries_all:
        return []
    return [layer for layer in rest if not isinstance(layer, keras.layers.Embedding)]


def _fresh_weights(model, growth, old, new):
    """Dict from `id(variable)` to a value drawn anew, for the new depth."""
    fresh = {}
    with _initializers_seeded(growth.seed, old, new):
        if _layers_drawn_anew(model, growth):
            twin = type(model).from_config(model.get_config())
            for variable, drawn in zip(model.weights, twin.weights):
                fresh[id(variable)] = ops.convert_to_numpy(drawn)
        for stack in block_stacks(model):
            for name, value in stack.draw_weights(new).items():
                fresh[id(getattr(stack, name))] = ops.convert_to_numpy(value)
    return fresh


def _grown(value, sources, fresh):
    if fresh is None:
        fresh = np.zeros((len(sources), *value.shape[1:]), value.dtype)
    return gather(value, sources, fresh)


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


def _check_choice(name, value, choices):
    if value not in choices:
        raise ValueError(
            f"{name} must be one of {', '.join(map(repr, choices))}. "
            f"Received: {name}={value!r}"
        )
