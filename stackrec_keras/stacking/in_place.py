"""The private attributes of Keras' variables, optimizers and compiled functions.

Keras 3 has no public way to give a variable another shape, or to tell a model
that is being fitted of it. What stands here does that on each backend.
(`models/training_loop.py` has those of the training loop.)
"""

import contextlib

import keras


def replace_value(variable, value):
    """Gives a variable a new value of any shape; the variable object stays, and
    with it its name and its place in every list that knows it."""
    variable._shape = tuple(value.shape)
    trainable = variable._trainable
    if keras.backend.backend() == "tensorflow":
        # A frozen one would get no gradients when it is thawed.
        variable._trainable = True
    variable._initialize(keras.ops.convert_to_tensor(value, dtype=variable.dtype))
    variable._trainable = trainable


@contextlib.contextmanager
def changing_shapes(model):
    """Context in which variables of a model and its optimizer change shape, while no
    other thread uses the model."""
    lock = getattr(model, "lock", None)
    alone = contextlib.nullcontext() if lock is None else lock.writing()
    with alone, _new_shapes(model):
        yield


@contextlib.contextmanager
def _new_shapes(model):
    if keras.backend.backend() == "jax":
        model.jax_state_sync()
        model._jax_state = None  # of the old shapes; an error would bring it back
    undecayed = [
        (optimizer, _excluded_from_decay(optimizer, model.variables))
        for optimizer in optimizer_chain(model)
    ]
    with _strategy_scope(model):
        yield
    for optimizer, variables in undecayed:
        if variables:
            keys = {optimizer._var_key(variable) for variable in variables}
            optimizer._exclude_from_weight_decay = keys
            optimizer._exclude_from_weight_decay_cache = {}
    for optimizer in optimizer_chain(model):
        if optimizer.built:
            # On TensorFlow the key of a variable is its inner tf.Variable's.
            optimizer._trainable_variables_indices = {
                optimizer._var_key(variable): index
                for index, variable in enumerate(optimizer._trainable_variables)
            }
    if keras.backend.backend() == "torch":
        for layer in model._flatten_layers():
            layer._track_variables()
    _remake_functions(model)


def copy_decay_exclusions(old, new):
    """Gives an optimizer what another was told by `exclude_from_weight_decay`."""
    for ours, theirs in zip(_chain(new), _chain(old), strict=True):
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
    """Returns a dict from attribute name to the list of slots of an optimizer:
    one slot, or None, for each of its trainable variables."""
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
    """Returns whether the slots of that name are averages of the variables, or what
    the variables are averages of."""
    kept = ["_model_variables_moving_average"]
    if isinstance(optimizer, keras.optimizers.ScheduleFreeAdamW):
        kept.append("_momentums")
    return name in kept


def _excluded_from_decay(optimizer, variables):
    keys = getattr(optimizer, "_exclude_from_weight_decay", ())
    return [v for v in variables if optimizer._var_key(v) in keys]


def _strategy_scope(model):
    if keras.backend.backend() == "tensorflow":
        return model.distribute_strategy.scope()
    return contextlib.nullcontext()


def _remake_functions(model):
    # A compiled function knows the old shapes. In a running fit the training
    # function must be there at once; the others are made when they are needed.
    if getattr(model, "train_function", None) is not None:
        model.make_train_function(force=True)
    model.test_function = None
    model.predict_function = None
