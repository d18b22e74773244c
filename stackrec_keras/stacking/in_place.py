"""The private attributes of Keras' variables, optimizers and compiled functions.

Keras 3 has no public way to change the shape of a variable, or to notify a running fit
of the change. This module does both, on each backend. (`models/training_loop.py` does
the same for the training loop.)
"""

import contextlib
import gc

import keras

AVERAGES = "_model_variables_moving_average"
WAITING = "_accumulated_gradients"
"""Two attributes of an optimizer: its weight averages and its accumulated gradients."""


def replace_value(variable, value):
    """Gives a variable a new value of any shape. The variable object, its name and its
    place in every list stay the same."""
    variable._shape = tuple(value.shape)
    trainable = variable._trainable
    if keras.backend.backend() == "tensorflow":
        # A frozen variable would otherwise get no gradients once it is unfrozen.
        variable._trainable = True
    variable._initialize(keras.ops.convert_to_tensor(value, dtype=variable.dtype))
    variable._trainable = trainable


@contextlib.contextmanager
def changing_shapes(model):
    """Context manager in which variables of a model and its optimizers may change
    shape. It keeps other threads from using the model, and yields the optimizers that
    train its variables. Other models that contain the model remain usable."""
    lock = getattr(model, "lock", None)
    locked = contextlib.nullcontext() if lock is None else lock.writing()
    with locked, _new_shapes(model) as optimizers:
        yield optimizers


@contextlib.contextmanager
def _new_shapes(model):
    models = [model, *_related_models(model)]
    if keras.backend.backend() == "jax":
        for each in models:
            each.jax_state_sync()
            each._jax_state = None  # otherwise an error would restore the old shapes
    optimizers = _training(models)
    undecayed = [(o, _excluded_from_decay(o, model.variables)) for o in optimizers]
    with _strategy_scope(model):
        yield optimizers
    for optimizer, variables in undecayed:
        if variables:
            keys = {optimizer._var_key(variable) for variable in variables}
            optimizer._exclude_from_weight_decay |= keys
            optimizer._exclude_from_weight_decay_cache = {}
    for each in models:
        for optimizer in optimizer_chain(each):
            if optimizer.built:
                # On TensorFlow the keys are new, as they belong to the tf.Variables.
                optimizer._trainable_variables_indices = {
                    optimizer._var_key(variable): index
                    for index, variable in enumerate(optimizer._trainable_variables)
                }
        if keras.backend.backend() == "torch":
            for layer in each._flatten_layers():
                layer._track_variables()
        _remake_functions(each)


def training_optimizers(model):
    """Returns the optimizers that train variables of a model: its own optimizer, any
    that this one wraps, and those of models that contain the model."""
    return _training([model, *_related_models(model)])


def copy_decay_exclusions(old, new):
    """Copies exclusions from weight decay from one optimizer to another."""
    pairs = zip(_chain(new), _chain(old), strict=True)
    parts = zip(updating_optimizers(new), updating_optimizers(old))
    for ours, theirs in [*pairs, *parts]:
        for name in (
            "_exclude_from_weight_decay",
            "_exclude_from_weight_decay_pattern",
        ):
            if hasattr(theirs, name):
                setattr(ours, name, getattr(theirs, name))


def optimizer_chain(model):
    """Returns the model's optimizer and those that it wraps, outermost first."""
    return _chain(getattr(model, "optimizer", None))


def _chain(optimizer):
    chain = []
    while optimizer is not None:
        chain.append(optimizer)
        optimizer = getattr(optimizer, "inner_optimizer", None)
    return chain


def optimized_variables(optimizer):
    """Returns the variables that an optimizer was built with."""
    return optimizer._trainable_variables


def slot_lists(optimizer):
    """Returns a dict from attribute name to the list of slots of an optimizer: one
    slot, or `None`, for each of its trainable variables."""
    variables = optimized_variables(optimizer)
    lists = {
        name: value
        for name, value in vars(optimizer).items()
        if isinstance(value, list)
        and name not in ("_trainable_variables", "_variables")
        and len(value) == len(variables)
    }
    return {
        name: slots
        for name, slots in lists.items()
        if all(s is None or isinstance(s, keras.Variable) for s in slots)
    }


def stands_for_variable(optimizer, name):
    """Returns whether the slots of that name are averages of the variables, or values
    that the variables average, as in `ScheduleFreeAdamW`."""
    kept = [AVERAGES]
    if isinstance(optimizer, keras.optimizers.ScheduleFreeAdamW):
        kept.append("_momentums")
    return name in kept


def updating_optimizers(optimizer):
    """Returns the optimizers that carry out an optimizer's updates: the optimizer
    itself, or those that it wraps."""
    innermost = _chain(optimizer)[-1]
    return getattr(innermost, "optimizers", [innermost])


def unbuilt_copy(optimizer):
    """Returns a new optimizer of the same kind and configuration."""
    if hasattr(optimizer, "inner_optimizer"):
        return type(optimizer)(
            unbuilt_copy(optimizer.inner_optimizer),
            initial_scale=optimizer.initial_scale,
            dynamic_growth_steps=optimizer.dynamic_growth_steps,
            name=optimizer.name,
        )
    rate = optimizer._learning_rate
    if not callable(rate):
        return type(optimizer).from_config(optimizer.get_config())
    # A schedule is passed on unchanged: its class may have no config, or may not be
    # registered.
    optimizer._learning_rate = 0.0
    try:
        config = optimizer.get_config()
    finally:
        optimizer._learning_rate = rate
    return type(optimizer).from_config({**config, "learning_rate": rate})


def learning_rate_schedule(optimizer):
    """Returns the optimizer's `LearningRateSchedule`, or `None`."""
    schedule = optimizer._learning_rate
    is_schedule = isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule)
    return schedule if is_schedule else None


def step_count(optimizer):
    """Returns the step variable that an optimizer's schedule reads. With gradient
    accumulation it counts every batch, whereas `iterations` counts updates."""
    return optimizer._iterations


def _training(models):
    chains = [optimizer_chain(models[0])]
    known = {id(variable) for variable in models[0].variables}
    for chain in map(optimizer_chain, models[1:]):
        if chain[-1:] and known & set(map(id, optimized_variables(chain[-1]))):
            chains.append(chain)
    return list({id(o): o for chain in chains for o in chain}.values())


def _related_models(model):
    """Returns the models that contain a model or are part of it, if they were compiled
    or used to predict."""
    layers = model._flatten_layers()
    models = [layer for layer in layers if isinstance(layer, keras.Model)]
    called = any(getattr(each, "has_callers", True) for each in models)
    if called or any(layer._inbound_nodes for layer in layers):
        # In Keras, a layer does not know the models that contain it.
        models = [x for x in gc.get_objects() if issubclass(type(x), keras.Model)]
    known = {id(variable) for variable in model.variables}
    return [
        other
        for other in models
        if other is not model
        and _is_in_use(other)
        and any(id(variable) in known for variable in other.variables)
    ]


def _is_in_use(model):
    names = ("optimizer", "train_function", "test_function", "predict_function")
    return any(vars(model).get(name) is not None for name in names)


def _excluded_from_decay(optimizer, variables):
    keys = getattr(optimizer, "_exclude_from_weight_decay", ())
    return [v for v in variables if optimizer._var_key(v) in keys]


def _strategy_scope(model):
    if keras.backend.backend() == "tensorflow":
        return model.distribute_strategy.scope()
    return contextlib.nullcontext()


def _remake_functions(model):
    # A compiled function has the old shapes. In a running fit the training function
    # must exist at once; the others are made when they are needed.
    if getattr(model, "train_function", None) is not None:
        model.make_train_function(force=True)
    model.test_function = None
    model.predict_function = None
