"""What happens to an optimizer's state when the model's variables grow."""

import numpy as np
from keras import Variable, ops

from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers.split_rows import SplitRows, split_like
from stackrec_keras.stacking.continued_schedule import ContinuedSchedule
from stackrec_keras.stacking.gather import gather
from stackrec_keras.stacking.in_place import (
    AVERAGES,
    WAITING,
    changing_shapes,
    copy_decay_exclusions,
    learning_rate_schedule,
    optimized_variables,
    optimizer_chain,
    replace_value,
    slot_lists,
    stands_for_variable,
    step_count,
    training_optimizers,
    unbuilt_copy,
    updating_optimizers,
)

MIXES_ELEMENTS = ("Adafactor", "Lamb", "Muon", "MultiOptimizer")
"""Optimizers that cannot follow a growing model. In all but the last, the update of an
element depends on the variable's other elements, and therefore on other blocks."""


def build_optimizer(optimizer, variables):
    """Builds an optimizer. The slots of split tables are split too.

    Raises:
        ArgumentError: If tables are split, and the optimizer has slots of other shapes.
    """
    optimizer.build(variables)
    for each in updating_optimizers(optimizer):
        for slots in slot_lists(each).values():
            for variable, slot in zip(optimized_variables(each), slots):
                if slot is not None:
                    split_like(slot, variable)
        is_split = any(isinstance(v, SplitRows) for v in optimized_variables(each))
        if is_split and not _has_slots_like_variables(each):
            raise ArgumentError(
                "optimizer",
                f"is or contains {type(each).__name__}, which cannot follow tables "
                "that are split over devices, because its state does not have one "
                "value per element of a variable",
                "Compile with another optimizer, such as Adam.",
            )


def check_optimizer(model):
    """Checks that every optimizer that trains the model can follow it as it grows."""
    check_optimizers(training_optimizers(model), model)


def check_optimizers(optimizers, model):
    """Does what `check_optimizer` does, given all optimizers that train the model."""
    of_one_depth = _of_one_depth(optimizers)
    own = optimizer_chain(model)
    for optimizer in optimizers:
        kind = type(optimizer).__name__
        if optimizer not in own:
            kind += " (of another model, which this one is part of)"
        if type(optimizer).__name__ in MIXES_ELEMENTS or optimizer in of_one_depth:
            raise ArgumentError(
                "optimizer",
                f"is or contains {kind}, which cannot follow a model that grows, "
                "because it does not treat each element of a variable, and therefore "
                "each block, independently",
                "Compile with an elementwise optimizer: Adam, AdamW, "
                "ScheduleFreeAdamW, SGD, RMSprop, Lion, Nadam, Adamax, Adagrad, "
                "Adadelta or Ftrl.",
            )
        if getattr(optimizer, "clipnorm", None) is not None:
            raise ArgumentError(
                "clipnorm",
                f"of {kind} cannot follow a model that grows, because it clips all "
                "blocks by one norm, which changes with the depth",
                "Use global_clipnorm or clipvalue.",
                optimizer.clipnorm,
            )


def optimizers_of_one_depth(model):
    """Returns the model's optimizers that have a slot whose shape differs from its
    variable's. They cannot follow the variable to a different depth."""
    return _of_one_depth(training_optimizers(model))


def carry_state(optimizers, sources, new_values, shares):
    """Grows every optimizer slot by the same gather as its variable.

    Slices without a source start as follows:

    - averages of the variable, and values that the variable is an average of, start at
      the variable's new value
    - sums of squares (never negative) start at the mean over the old slices, so that
      the first updates are not many times the learning rate
    - all others start at 0

    Args:
        optimizers: List of optimizers. Slots and variables still have their old values.
        sources: Dict from `id(variable)` to a list, a source for each new slice.
        new_values: Dict from `id(variable)` to its new value.
        shares: As in `set_slices`. Slots that stand for a variable, such as its
            average, are scaled like the variable.
    """
    for optimizer in optimizers:
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
    """Resets the state of the model's optimizer in place, as `renewed` does."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not optimizer.built:
        return
    # These may differ from the model's trainable variables, because a layer may have
    # been frozen after compile().
    fresh = renewed(optimizer, optimized_variables(optimizer))
    pairs = zip(state_variables(optimizer), state_variables(fresh), strict=True)
    for variable, value in pairs:
        _copy_value(value, variable)
    _set_starts(optimizer, _starts(fresh))


def state_variables(optimizer):
    """Returns all variables that an optimizer updates in a step, except the weights."""
    variables = list(optimizer.variables)
    for each in updating_optimizers(optimizer):
        # Nadam's momentum product is not in the `variables` of a LossScaleOptimizer.
        named = sorted(vars(each).items())
        variables += [value for _, value in named if isinstance(value, Variable)]
    return list({id(variable): variable for variable in variables}.values())


def finalize_averages(model):
    """Gives a model its averaged weights, if it has any, as at the end of a fit."""
    if any(getattr(each, "use_ema", False) for each in optimizer_chain(model)):
        model.optimizer.finalize_variable_values(model.trainable_variables)


def renewed(optimizer, variables):
    """Returns a copy of an optimizer with its moments reset.

    Each slot has its initial value, and the step count restarts at 0, so that bias
    corrections fit. Everything else continues: the learning rate and its schedule, the
    loss scale, accumulated gradients, and weight averages. In the next step, Keras sets
    every average to its weight. Averages are nevertheless copied, because
    `SwapEMAWeights` may have stored the weight itself in place of its average.

    Args:
        optimizer: A Keras optimizer.
        variables: List of variables that the copy trains.
    """
    fresh = unbuilt_copy(optimizer)
    copy_decay_exclusions(optimizer, fresh)
    build_optimizer(fresh, variables)
    for name in ("dynamic_scale", "step_counter"):  # of a LossScaleOptimizer
        if hasattr(optimizer, name):
            _copy_value(getattr(optimizer, name), getattr(fresh, name))
    starts = []
    for old, new, start in zip(
        updating_optimizers(optimizer),
        updating_optimizers(fresh),
        _starts(optimizer),
    ):
        steps = int(ops.convert_to_numpy(step_count(old)))
        # The count of accumulated gradients continues.
        kept = steps % (old.gradient_accumulation_steps or 1)
        replace_value(step_count(new), np.array(kept))
        starts.append(start + steps - kept)
        _carry_averages_and_gradients(old, new)
    _set_starts(fresh, starts)
    return fresh


def begin_averages(model):
    """Resets averages of the model's variables to the current values of the
    variables."""
    for optimizer in training_optimizers(model):
        _begin_averages(optimizer)


def begin_first_averages(model):
    """Does what `begin_averages` does, for a model that its optimizer has not yet
    trained.

    Keras starts averages at 0 and sets them to the weights in the first step. A fit
    that ends before that step would set all weights to 0. Other averages start at the
    weights that the model had when it was compiled.
    """
    optimizer = getattr(model, "optimizer", None)
    for each in [] if optimizer is None else updating_optimizers(optimizer):
        if each.built and not int(ops.convert_to_numpy(each.iterations)):
            _begin_averages(each)


def schedule_starts(model):
    """Returns the step that each learning-rate schedule of the model's optimizer had
    reached when the optimizer's step count last restarted."""
    optimizer = getattr(model, "optimizer", None)
    return [] if optimizer is None else _starts(optimizer)


def set_schedule_starts(model, starts):
    """Continues the learning-rate schedules of the model's optimizer from the steps
    that `schedule_starts` returned for a model compiled the same way."""
    if schedule_starts(model) not in ([], starts):
        with changing_shapes(model):
            _set_starts(model.optimizer, starts)


def _begin_averages(optimizer):
    for name, slots in slot_lists(optimizer).items():
        if stands_for_variable(optimizer, name):
            for variable, slot in zip(optimized_variables(optimizer), slots):
                if slot is not None:
                    slot.assign(ops.convert_to_numpy(variable))


def _starts(optimizer):
    schedules = map(learning_rate_schedule, updating_optimizers(optimizer))
    return [s.steps if isinstance(s, ContinuedSchedule) else 0 for s in schedules]


def _set_starts(optimizer, starts):
    for each, start in zip(updating_optimizers(optimizer), starts):
        schedule = learning_rate_schedule(each)
        if isinstance(schedule, ContinuedSchedule):
            schedule = schedule.schedule
        if schedule is not None:
            each.learning_rate = (
                ContinuedSchedule(schedule, start) if start else schedule
            )


def _carry_averages_and_gradients(old, new):
    """Copies averages and accumulated gradients from one optimizer to another. An
    average that the old one lacks starts at its variable's value."""
    for name in (AVERAGES, WAITING):
        of_old = dict(zip(map(id, optimized_variables(old)), getattr(old, name, [])))
        for variable, slot in zip(optimized_variables(new), getattr(new, name, [])):
            value = of_old.get(id(variable), variable if name == AVERAGES else None)
            if slot is not None and value is not None:
                _copy_value(value, slot)


def _copy_value(source, target):
    # With `assign`, both variables would share a buffer on JAX.
    replace_value(target, ops.convert_to_numpy(source))


def _of_one_depth(optimizers):
    return [o for o in optimizers if o.built and not _has_slots_like_variables(o)]


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
