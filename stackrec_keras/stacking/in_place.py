"""The only file that touches private attributes of Keras.

Keras 3 has no public way to give a variable another shape, or to tell a model
that is being fitted of it, nor to get back what JAX holds when a step fails. What
stands here does that on each backend.
"""

import contextlib
from dataclasses import dataclass

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
    """Context in which variables of a model and its optimizer change shape."""
    if keras.backend.backend() == "jax":
        model.jax_state_sync()
        model._jax_state = None  # of the old shapes; an error would bring it back
    with _strategy_scope(model):
        yield
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


class KeepsValues:
    """What a model adds to Keras' trainer so that an error in a step loses nothing.

    On JAX, Keras takes the values out of all variables before a step and puts them
    back after an epoch. An error while the step is traced (a target of the wrong
    shape, say) would leave the model without weights.
    """

    _before_step = None

    @contextlib.contextmanager
    def keeping_values(self):
        """Context of `fit`, `evaluate` or `predict`."""
        try:
            yield
        except BaseException:
            if self._before_step is not None:
                self.jax_state_sync()
                self._before_step.give_back()
            raise
        finally:
            self._before_step = None

    def _purge_model_variables(self, **which):
        variables = [*self.variables, *self.metrics_variables]
        for optimizer in optimizer_chain(self)[:1]:
            variables += optimizer.variables
        self._before_step = _Values([(v, v._value) for v in variables])
        super()._purge_model_variables(**which)


@dataclass(frozen=True)
class _Values:
    pairs: list

    def give_back(self):
        for variable, value in self.pairs:
            if variable._value is None:
                variable._value = value


def optimizer_chain(model):
    """Returns the model's optimizer and those that it wraps, outermost first."""
    chain = []
    optimizer = getattr(model, "optimizer", None)
    while optimizer is not None:
        chain.append(optimizer)
        optimizer = getattr(optimizer, "inner_optimizer", None)
    return chain


def slot_lists(optimizer):
    """Returns a dict from attribute name to the list of slots of an optimizer:
    one slot, or None, for each of its trainable variables."""
    variables = optimizer._trainable_variables
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
