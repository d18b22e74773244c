"""What `fit` looks after before Keras takes over."""

import warnings

import keras
import numpy as np
from keras import ops

from stackrec_keras.data import Batches
from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.callback_order import in_order
from stackrec_keras.models.inputs import check_ids, check_weights, items_of
from stackrec_keras.models.keras_files import check_checkpoints
from stackrec_keras.models.training_loop import set_steps
from stackrec_keras.stacking import StackingCallback


def callbacks_for(model, callbacks, x, validated, verbose, steps_per_epoch):
    """Returns the callbacks of a fit in the order that they must run in."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        check_checkpoints(callbacks.callbacks)
        stacking = _stacking_callback(model, callbacks.callbacks)
        _check_data_shares(stacking, None, steps_per_epoch)
        return callbacks
    if callbacks is None or isinstance(callbacks, keras.callbacks.Callback):
        callbacks = [callbacks] if callbacks else []
    check_checkpoints(callbacks)
    for callback in callbacks:
        _settle_mode(callback, model)
    stacking = _stacking_callback(model, callbacks)
    if not validated:
        _check_monitor(stacking)
    _check_data_shares(stacking, x, steps_per_epoch)
    callbacks = in_order(callbacks)
    if stacking is not None and stacking.schedule.data_shares:
        bars = [c for c in callbacks if isinstance(c, keras.callbacks.ProgbarLogger)]
        if verbose and not bars:
            bars = [_progress_bar()]
            callbacks = callbacks + bars
        return [_ShareClock(x, stacking, bars), *callbacks]
    return [_EpochClock(x), *callbacks] if hasattr(x, "set_epoch") else callbacks


def _stacking_callback(model, callbacks):
    """Returns the `StackingCallback` among the callbacks. If there is none, what an
    interrupted one left on the model is over, and its files need not hold it."""
    found = [c for c in callbacks if isinstance(c, StackingCallback)]
    if len(found) > 1:
        raise ValueError(
            f"callbacks has {len(found)} StackingCallbacks, and a fit follows one "
            "schedule. Give one with all growths, such as {1: 8, 3: 16}, or fit once "
            "with each."
        )
    if found:
        return found[0]
    model.growth_record = None
    return None


def _check_monitor(stacking):
    monitor = None if stacking is None else stacking.schedule.monitor
    if monitor is not None and monitor.startswith("val_"):
        raise ArgumentError(
            "validation_data",
            f"is missing, and the schedule monitors {monitor!r}",
            "Give fit(..., validation_data=(x, y)), or monitor 'loss'.",
        )


def _check_data_shares(stacking, x, steps_per_epoch):
    shares = None if stacking is None else stacking.schedule.data_shares
    if shares and (not isinstance(x, Batches) or steps_per_epoch is not None):
        raise ValueError(
            f"data_shares={shares} of the schedule give each epoch its rows, and fit "
            "must know all rows for that. Give fit(windows.batches(...)), the "
            "callbacks as a list, and no steps_per_epoch. Received: x of type "
            f"{type(x).__name__}, steps_per_epoch={steps_per_epoch}"
        )


def _progress_bar():
    bar = keras.callbacks.ProgbarLogger()
    # As Keras sees to it for the bar that it adds itself.
    bar.async_safe = True
    return bar


def _settle_mode(callback, model):
    # Keras finds out that more is better for metrics that it compiled itself alone.
    names = [f"val_{metric.name}" for metric in model.metrics if metric.name != "loss"]
    mode = getattr(callback, "mode", None)
    if mode == "auto" and getattr(callback, "monitor", None) in names:
        callback.mode = "max"


def refuse_class_weight(class_weight):
    """Raises a ValueError: Keras would weigh rows by what it takes for their class."""
    if class_weight is not None:
        raise ValueError(
            f"class_weight={class_weight!r:.100} has no meaning here: a row has many "
            "targets, and items are no classes to Keras. Leave it out; weights of rows "
            "and positions are fit's sample_weight."
        )


def check_arrays(model, x, y, sample_weight, validation_data):
    """Raises a ValueError if what a fit is given holds ids that the model does not
    know. Returns the batches among it by name: the items of the model may be
    extended before an epoch asks for the rows that have new ones."""
    check_weights("sample_weight", sample_weight)
    data = {"x": x, "y": y, "validation_data": validation_data}
    if isinstance(validation_data, (list, tuple)):
        del data["validation_data"]
        data |= zip(("validation x", "validation y"), validation_data)
        check_weights("validation sample_weight", *validation_data[2:])
    batches = {name: part for name, part in data.items() if isinstance(part, Batches)}
    check_ids(model, **{name: data[name] for name in data if name not in batches})
    items = items_of(x)
    if y is None and (ops.is_tensor(items) or hasattr(items, "__array__")):
        raise ValueError(
            "y is None, and x is an array. Give fit(x, y), both of windows.arrays(), "
            "or batches of pairs."
        )
    if np.ndim(y) == 1 and np.ndim(items) == 2 and not hasattr(model, "source"):
        warnings.warn(
            "y has one target a row: the model learns from the last position alone. "
            "windows.arrays() has one for each; evaluation_arrays() are to validate.",
            stacklevel=3,
        )
    return batches


def checking(model, callbacks, batches):
    """Returns the callbacks of a fit with a last one that checks the batches of each
    epoch before its first step."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        check_ids(model, **batches)
        return callbacks
    return [*callbacks, _IdCheck(batches)] if batches else callbacks


class _IdCheck(keras.callbacks.Callback):
    """Checks the rows of an epoch unless those of the one before were the same:
    catalogues only grow, and so what was known still is."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches
        self.rows = None

    def on_epoch_begin(self, epoch, logs=None):
        rows = [(part.windows, part.share) for part in self.batches.values()]
        if rows != self.rows:
            check_ids(self.model, **self.batches)
            self.rows = rows


class _EpochClock(keras.callbacks.Callback):
    """Tells batches the epoch, so that their order is the same in a resumed run."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.set_epoch(epoch)


class _ShareClock(_EpochClock):
    """Tells batches the share of the rows too, and the loop how many batches it is."""

    def __init__(self, batches, stacking, bars):
        super().__init__(batches)
        self.stacking = stacking
        self.bars = bars
        self.epoch_iterator = None

    def on_train_begin(self, logs=None):
        self.epoch_iterator = self.model.epoch_iterator

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.set_epoch(epoch, self.stacking.data_share(epoch))
        steps = self.batches.num_batches
        set_steps(self.epoch_iterator, steps)
        self.params["steps"] = steps  # which all callbacks share
        for bar in self.bars:
            bar.target = steps
