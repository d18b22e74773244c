"""Code that uses private attributes of Keras' training loop.

Keras 3 has no public way to get back the values that JAX holds when a step fails, or
to give the epochs of a fit different numbers of batches. On JAX, a step takes and
returns the values of all variables, and reuses their buffers.
"""

import contextlib
import contextvars
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from stackrec_keras.stacking.in_place import optimizer_chain

_running: contextvars.ContextVar = contextvars.ContextVar("running", default=None)


@contextlib.contextmanager
def running(model: keras.Model) -> Iterator[None]:
    """Context manager in which calls of the model do not set its `has_callers`."""
    token = _running.set(model)
    try:
        yield
    finally:
        _running.reset(token)


class KeepsValues(keras.Model):
    """Base of a model that keeps the values of its variables on JAX.

    There, Keras takes the values out of all variables before a step and puts them back
    after an epoch. An error while the step is traced, such as a target of the wrong
    shape, would leave the model without weights.

    A step also deletes the buffers that it was given, and Keras lets two variables
    share one: with `use_ema=True`, every fit ends by assigning the averages to the
    weights. The next step would fail, or delete the averages with the weights.
    """

    has_callers = False
    """Boolean, whether the model was called outside its own `fit`, `evaluate`,
    `predict` and `recommend`: perhaps by a model that contains it."""

    _before_step = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if _running.get() is not self and not self.has_callers:
            self.has_callers = True
        return super().__call__(*args, **kwargs)  # type: ignore[misc]

    @contextlib.contextmanager
    def keeping_values(self) -> Iterator[None]:
        """Context manager for `fit`, `evaluate` or `predict`. After an error in it, the
        variables have their values again."""
        try:
            with running(self):
                yield
            # Now, because the next step may be one of a model that contains this one.
            self._separate_buffers()
        except BaseException:
            if self._before_step is not None:
                self.jax_state_sync()
            raise
        finally:
            self._before_step = None

    def jax_state_sync(self) -> None:
        super().jax_state_sync()
        # After an error, Keras needs the values before `keeping_values` sees the error.
        if self._before_step is not None:
            self._before_step.give_back()

    def _get_jax_state(self, **which):
        self._separate_buffers()
        return super()._get_jax_state(**which)

    def _purge_model_variables(self, **which):
        variables = self._variables_of_a_step()
        self._before_step = _Values([(v, v._value) for v in variables])
        super()._purge_model_variables(**which)

    def _separate_buffers(self):
        if keras.backend.backend() != "jax":
            return
        seen = set()
        for variable in self._variables_of_a_step():
            value = variable._value
            if id(value) in seen:
                variable._direct_assign(keras.ops.copy(value))
            elif value is not None:
                seen.add(id(value))

    def _variables_of_a_step(self):
        variables = [*self.variables, *self.metrics_variables]
        for optimizer in optimizer_chain(self)[:1]:
            variables += optimizer.variables
        return list({id(variable): variable for variable in variables}.values())


class EpochSteps(keras.Model):
    """Base of a model whose epochs may have different numbers of batches in one fit.

    Keras asks the data for the number of batches once, before the first epoch, and
    keeps it in the iterator over epochs. No callback can see that iterator, but Keras
    passes it to the model when it builds the model with the first batch.
    """

    _epoch_iterator = None

    @property
    def epoch_iterator(self) -> Any:
        """Keras' iterator over the epochs of the fit that begins, or `None`."""
        return None if self._epoch_iterator is None else self._epoch_iterator()

    def _symbolic_build(self, iterator=None, data_batch=None):
        self._keep(iterator)
        super()._symbolic_build(iterator=iterator, data_batch=data_batch)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # On TensorFlow, Keras calls this method, and may not call `_symbolic_build`.
        self._keep(iterator)
        super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)

    def _keep(self, iterator):
        if iterator is not None:
            # A weak reference, or the data would live as long as the model.
            self._epoch_iterator = weakref.ref(iterator)


def draw_before_step(model, state, draw):
    """Calls `draw`, which draws at random, in a training step before its model call.

    Args:
        model: The model, whose seed generators `draw` uses.
        state: List of the step's arguments that precede the data: on JAX the values of
            all variables, elsewhere none.
        draw: Function without arguments.

    Returns:
        What `draw` returned, and the `state` to continue with.
    """
    if not state:
        return draw(), state
    trainable, non_trainable, *others = state[0]
    with values_of(model, trainable, non_trainable) as scope:
        drawn = draw()
    non_trainable = [scope.get_current_value(v) for v in model.non_trainable_variables]
    return drawn, [(trainable, non_trainable, *others)]


def values_of(model, trainable, non_trainable):
    """Context manager that gives a model's variables the values that a JAX step got."""
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    values = [*trainable, *non_trainable]
    return keras.StatelessScope(state_mapping=list(zip(variables, values)))


def set_steps(epoch_iterator, num_batches):
    """Sets the number of batches of the epoch that is about to begin."""
    epoch_iterator._num_batches = num_batches


@dataclass(frozen=True)
class _Values:
    pairs: list

    def give_back(self):
        for variable, value in self.pairs:
            if variable._value is None:
                variable._value = value
