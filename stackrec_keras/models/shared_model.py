import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import keras

from stackrec_keras.models.read_write_lock import ReadWriteLock


class SharedModel(keras.Model):
    """Base of a model that several threads may use at once.

    Threads can infer at the same time, even while another thread fits the model. No
    thread infers while the model changes shape. On JAX, Keras takes the values out of
    all variables while it fits, evaluates or predicts. Threads therefore take turns on
    JAX, and `fit` lets waiting threads go first before each epoch.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.lock = ReadWriteLock()
        self._evaluation = threading.RLock()

    def inferring(self) -> contextlib.AbstractContextManager:
        """Context manager for reading the model."""
        return self.lock.writing() if _takes_values() else self.lock.reading()

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[None]:
        """Context manager for evaluating the model. Evaluations take turns, since they
        share the metrics and the compiled step."""
        if _takes_values():  # evaluations then take turns already
            with self.inferring():
                yield
        else:
            # Take the model's lock last. Otherwise one thread could hold it and wait
            # for its turn to evaluate, while the thread whose turn it is waits for it.
            with self._evaluation, self.inferring():
                yield

    @contextlib.contextmanager
    def fitting(self) -> Iterator[None]:
        """Context manager for training the model."""
        with self.lock.writing() if _takes_values() else contextlib.nullcontext():
            yield

    def train_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        with self.fitting():
            return super().train_on_batch(*args, **kwargs)

    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        with self.evaluating():
            return super().test_on_batch(*args, **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        with self.inferring():
            return super().predict_on_batch(x)


class GiveWay(keras.callbacks.Callback):
    """Lets other threads use a model on JAX before each epoch of its fit."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if _takes_values():
            self.model.lock.give_way()


def _takes_values():
    return keras.backend.backend() == "jax"
