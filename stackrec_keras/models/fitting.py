"""Checks the arguments of `fit`, and prepares its callbacks."""

import keras
import numpy as np
from keras import ops

from stackrec_keras.data import Batches
from stackrec_keras.errors import ArgumentError, warn
from stackrec_keras.models.callback_order import sort_callbacks
from stackrec_keras.models.checked_inputs import check_ids, check_weights
from stackrec_keras.models.fit_length import FitLength, follows_fit
from stackrec_keras.models.inputs import items_of
from stackrec_keras.models.refused_h5 import check_checkpoints
from stackrec_keras.models.training_loop import set_steps
from stackrec_keras.stacking import StackingCallback


def prepare_callbacks(model, callbacks, x, validated, verbose, steps_per_epoch):
    """Returns the callbacks of a fit in the order in which they must run. The callback
    that gives the training batches the epoch number comes first.

    Args:
        model: A `SequentialRecommender`.
        callbacks: A list of callbacks, one callback, a `CallbackList` or `None`.
        x: The `x` of `fit`.
        validated: Boolean, whether there are validation data.
        verbose: As in `fit`.
        steps_per_epoch: As in `fit`.
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):
        check_checkpoints(callbacks.callbacks)
        stacking = _stacking_callback(model, callbacks.callbacks)
        _check_data_shares(stacking, None, steps_per_epoch)
        _check_steps_known(model, "fit cannot set them through a CallbackList")
        return callbacks
    if callbacks is None or isinstance(callbacks, keras.callbacks.Callback):
        callbacks = [callbacks] if callbacks else []
    check_checkpoints(callbacks)
    for callback in callbacks:
        _set_mode(callback, model)
    stacking = _stacking_callback(model, callbacks)
    if not validated:
        _check_monitor(stacking)
    _check_data_shares(stacking, x, steps_per_epoch)
    callbacks = sort_callbacks(callbacks)
    if follows_fit(model):
        callbacks = [FitLength(), *callbacks]
    shares = None if stacking is None else stacking.schedule.data_shares
    if isinstance(x, Batches):
        x.expect_shares((shares or {}).values())
    if shares:
        _check_steps_known(model, "epochs have different numbers of rows")
        bars = [c for c in callbacks if isinstance(c, keras.callbacks.ProgbarLogger)]
        if verbose and not bars:
            bars = [_progress_bar()]
            callbacks = callbacks + bars
        return [_ShareClock(x, stacking, bars), *callbacks]
    return [_EpochClock(x), *callbacks] if hasattr(x, "set_epoch") else callbacks


def _stacking_callback(model, callbacks):
    """Returns the `StackingCallback` among the callbacks. If there is none, clears the
    growth record that an interrupted fit may have left, and returns `None`."""
    found = [c for c in callbacks if isinstance(c, StackingCallback)]
    if len(found) > 1:
        raise ArgumentError(
            "callbacks",
            f"has {len(found)} StackingCallbacks, but a fit follows only one schedule",
            "Give one with all growth steps, such as {1: 8, 3: 16}, or call fit once "
            "for each.",
        )
    if found:
        return found[0]
    model.growth_record = None
    return None


def _check_monitor(stacking):
    monitor = None if stacking is None else stacking.schedule.monitor
    if monitor is not None and monitor.startswith("val_"):
        raise ArgumentError(
            "monitor",
            "of the schedule needs validation_data",
            "Give fit(..., validation_data=(x, y)), or monitor 'loss'.",
            monitor,
        )


def _check_data_shares(stacking, x, steps_per_epoch):
    shares = None if stacking is None else stacking.schedule.data_shares
    if shares and (not isinstance(x, Batches) or steps_per_epoch is not None):
        raise ArgumentError(
            "data_shares",
            "of the schedule chooses the rows of each epoch, so fit must know all rows",
            "Call fit(windows.batches(...), callbacks=[...]) without steps_per_epoch.",
            shares,
        )


def _check_steps_known(model, why_not):
    """Raises an ArgumentError if a learning-rate schedule needs the fit's length."""
    if follows_fit(model):
        raise ArgumentError(
            "steps",
            f"of the learning-rate schedule must be given, because {why_not}",
            "Give WarmupStableDecay(..., steps=N).",
        )


def _progress_bar():
    bar = keras.callbacks.ProgbarLogger()
    # Keras does the same for the bar that it adds itself.
    bar.async_safe = True
    return bar


def _set_mode(callback, model):
    # Keras infers mode="max" only for metrics that it compiled itself.
    names = [f"val_{metric.name}" for metric in model.metrics if metric.name != "loss"]
    mode = getattr(callback, "mode", None)
    if mode == "auto" and getattr(callback, "monitor", None) in names:
        callback.mode = "max"


def refuse_class_weight(class_weight):
    """Raises an ArgumentError if there is a class weight."""
    if class_weight is not None:
        raise ArgumentError(
            "class_weight",
            "is not supported: a row has many targets, and items are not Keras classes",
            "To weight rows or positions, use fit's sample_weight.",
            class_weight,
        )


def check_arrays(model, x, y, sample_weight, validation_data):
    """Checks the ids and weights in the arrays that a fit is given.

    `Batches` are not checked here: a callback may extend the model's items before the
    epoch that needs them.

    Returns:
        Dict of the arguments that are `Batches`, by name.
    """
    check_weights("sample_weight", sample_weight)
    data = {"x": x, "y": y, "validation_data": validation_data}
    if isinstance(validation_data, (list, tuple)):
        del data["validation_data"]
        data |= zip(("validation_data: x", "validation_data: y"), validation_data)
        check_weights("validation_data: sample_weight", *validation_data[2:])
    batches = {name: part for name, part in data.items() if isinstance(part, Batches)}
    check_ids(model, **{name: data[name] for name in data if name not in batches})
    items = items_of(x)
    if y is None and (ops.is_tensor(items) or hasattr(items, "__array__")):
        raise ArgumentError(
            "y",
            "is missing, but x is an array, which has no targets",
            "Give fit(x, y) both arrays of windows.arrays(), or call "
            "fit(windows.batches(...)).",
        )
    if np.ndim(y) == 1 and np.ndim(items) == 2 and not hasattr(model, "source"):
        warn(
            "y has one target per row, so the model learns only from the last "
            "position. windows.arrays() has a target for every position; "
            "evaluation_arrays() is for validation.",
        )
    return batches


def add_id_checks(model, callbacks, batches):
    """Adds a callback that checks the ids in each epoch's batches before its first
    step. With a `CallbackList`, which cannot be extended, all batches are checked now.

    Returns:
        The callbacks of the fit.
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):
        check_ids(model, **batches)
        return callbacks
    return [*callbacks, _IdCheck(batches)] if batches else callbacks


class _IdCheck(keras.callbacks.Callback):
    """Checks the ids in an epoch's rows if the rows have changed. The same rows need no
    second check: catalogues only grow, so known ids stay known."""

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
    """Gives batches the epoch number, so that a resumed run has the same row order."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.set_epoch(epoch)


class _ShareClock(_EpochClock):
    """Also tells the batches which fraction of the rows to use, and tells Keras how
    many batches result."""

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
        self.params["steps"] = steps  # all callbacks share this dict
        for bar in self.bars:
            bar.target = steps
