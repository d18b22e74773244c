"""What `fit` looks after before Keras takes over."""

import keras

from stackrec_keras.stacking import StackingCallback


def callbacks_for(model, callbacks, x, validated):
    """Returns the callbacks of a fit in the order that they must run in.

    `StackingCallback` goes first: what another callback stores at the end of an
    epoch has to hold the state of the schedule, and its log keys.
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    if callbacks is None or isinstance(callbacks, keras.callbacks.Callback):
        callbacks = [callbacks] if callbacks else []
    for callback in callbacks:
        monitor = getattr(getattr(callback, "schedule", None), "monitor", "")
        if monitor.startswith("val_") and not validated:
            raise ValueError(
                f"The schedule monitors {monitor!r}, but fit got no validation_data. "
                "Give fit(..., validation_data=(x, y)), or monitor 'loss'."
            )
        _settle_mode(callback, model)
    clock = [_EpochClock(x)] if hasattr(x, "set_epoch") else []
    return clock + sorted(callbacks, key=lambda c: not isinstance(c, StackingCallback))


def _settle_mode(callback, model):
    # Keras finds out that more is better for metrics that it compiled itself alone.
    names = [f"val_{metric.name}" for metric in model.metrics if metric.name != "loss"]
    mode = getattr(callback, "mode", None)
    if mode == "auto" and getattr(callback, "monitor", None) in names:
        callback.mode = "max"


class _EpochClock(keras.callbacks.Callback):
    """Tells batches the epoch, so that their order is the same in a resumed run."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.set_epoch(epoch)
