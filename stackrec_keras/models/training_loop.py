"""The private attributes of Keras' training loop.

Keras 3 has no public way to get back what JAX holds when a step fails, to give the
epochs of a fit different numbers of batches, or to have the mean of the loss alone.
"""

import contextlib
import contextvars
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stackrec_keras.stacking.in_place import optimizer_chain

_running: contextvars.ContextVar = contextvars.ContextVar("running", default=None)


class KeepsValues:
    """What a model adds to Keras' trainer so that an error in a step loses nothing.

    On JAX, Keras takes the values out of all variables before a step and puts them
    back after an epoch. An error while the step is traced (a target of the wrong
    shape, say) would leave the model without weights.
    """

    has_callers = False
    """Boolean, whether the model was called by anything but its own `fit`, `evaluate`
    and `predict`: by a model that it is a part of, perhaps."""

    _before_step = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if _running.get() is not self and not self.has_callers:
            self.has_callers = True
        return super().__call__(*args, **kwargs)  # type: ignore[misc]

    @contextlib.contextmanager
    def keeping_values(self) -> Iterator[None]:
        """Context of `fit`, `evaluate` or `predict`."""
        running = _running.set(self)
        try:
            yield
        except BaseException:
            if self._before_step is not None:
                self.jax_state_sync()
                self._before_step.give_back()
            raise
        finally:
            self._before_step = None
            _running.reset(running)

    def _purge_model_variables(self, **which):
        variables = [*self.variables, *self.metrics_variables]
        for optimizer in optimizer_chain(self)[:1]:
            variables += optimizer.variables
        self._before_step = _Values([(v, v._value) for v in variables])
        super()._purge_model_variables(**which)


class EpochSteps:
    """What a model adds to Keras' training loop so that each epoch of a fit may have
    its own number of batches.

    Keras asks the data for that number once, before the first epoch, and keeps it in
    the iterator over epochs, which it shows to no callback. But it does hand it to
    the model, to be built by its first batch.
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
        # TensorFlow's own step before the one above, which it may leave out.
        self._keep(iterator)
        super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)

    def _keep(self, iterator):
        if iterator is not None:
            # No more than a reference: the data would live as long as the model.
            self._epoch_iterator = weakref.ref(iterator)


def loss_tracker(model):
    """Returns the metric in which a compiled model keeps the mean loss of its steps."""
    return model._loss_tracker


def set_steps(epoch_iterator, num_batches):
    """Gives the epoch that is about to begin its number of batches."""
    epoch_iterator._num_batches = num_batches


@dataclass(frozen=True)
class _Values:
    pairs: list

    def give_back(self):
        for variable, value in self.pairs:
            if variable._value is None:
                variable._value = value
