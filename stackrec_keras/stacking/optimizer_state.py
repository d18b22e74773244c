"""What becomes of an optimizer's state when the model's variables grow."""

import numpy as np
from keras import ops

from stackrec_keras.stacking.gather import gather
from stackrec_keras.stacking.in_place import (
    optimized_variables,
    optimizer_chain,
    replace_value,
    slot_lists,
    stands_for_variable,
)

MIXES_ELEMENTS = ("Adafactor", "Lamb", "Muon", "MultiOptimizer")
"""Optimizers that a growth refuses. All but the last update one element of a
variable by the others, which would couple the blocks that lie in one variable."""


def check_optimizer(model):
    """Raises a ValueError if the model's optimizer cannot follow a growth."""
    of_one_depth = optimizers_of_one_depth(model)
    for optimizer in optimizer_chain(model):
        kind = type(optimizer).__name__
        if kind in MIXES_ELEMENTS or optimizer in of_one_depth:
            raise ValueError(
                f"optimizer={kind} cannot follow a growth: its state is not one "
                "number for each number of a variable, and blocks that share a "
                "variable would not be updated independently. Compile with an "
                "elementwise optimizer: Adam, AdamW, ScheduleFreeAdamW, SGD, RMSprop, "
                "Lion, Nadam, Adamax, Adagrad, Adadelta or Ftrl."
            )
        if getattr(optimizer, "clipnorm", None) is not None:
            raise ValueError(
                f"clipnorm={optimizer.clipnorm} of {kind} cannot follow a growth: it "
                "clips all blocks by one norm, which changes with the depth. Use "
                "global_clipnorm or clipvalue."
            )


def optimizers_of_one_depth(model):
    """Returns the model's optimizers that have a slot of another shape than that of
    its variable, which cannot follow it to another depth."""
    return [
        optimizer
        for optimizer in optimizer_chain(model)
        if optimizer.built and not _has_slots_like_variables(optimizer)
    ]


def carry_state(model, sources, new_values, shares):
    """Gives every slot the new shape of its variable, with the same gather.

    What is not carried over starts as fits the slot: an average of the variable, or
    what the variable is an average of, at the variable's new value, a sum of squares
    (which is never negative) at the mean over the old slices, so that the first
    updates are not many times the learning rate, anything else at 0.

    Args:
        model: The model; its variables and slots have their old values.
        sources: Dict from `id(variable)` to a source for each new slice.
        new_values: Dict from `id(variable)` to its new value.
        shares: As in `set_slices`; what stands for a variable is shared out like it.
    """
    for optimizer in optimizer_chain(model):
        if not optimizer.built:
            continue
        for name, slots in slot_lists(optimizer).items():
            of_squares = _never_negative(slots)
            as_variable = stands_for_variable(optimizer, name)
            for variable, slot in zip(optimized_variables(optimizer), slots):
                if slot is None or id(variable) not in sources:
                    continue
                old, new = ops.convert_to_numpy(slot), new_values[id(variable)]
                if as_variable:
                    fresh = new
                elif of_squares:
                    fresh = np.broadcast_to(old.mean(axis=0), new.shape)
                else:
                    fresh = np.zeros_like(new)
                value = gather(old, sources[id(variable)], fresh)
                if as_variable:
                    value = value * shares.get(id(variable), 1)
                replace_value(slot, value)


def reset_state(model):
    """Makes the optimizer as new, its learning rate excepted."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not optimizer.built:
        return
    fresh = type(optimizer).from_config(optimizer.get_config())
    # Not the model's variables: a layer may have been frozen since it was compiled.
    fresh.build(optimized_variables(optimizer_chain(model)[-1]))
    for variable, value in zip(optimizer.variables, fresh.variables, strict=True):
        replace_value(variable, ops.convert_to_numpy(value))


def _has_slots_like_variables(optimizer):
    return all(
        slot is None or tuple(slot.shape) == tuple(variable.shape)
        for slots in slot_lists(optimizer).values()
        for variable, slot in zip(optimized_variables(optimizer), slots)
    )


def _never_negative(slots):
    return all(
        (ops.convert_to_numpy(slot) >= 0).all() for slot in slots if slot is not None
    )
