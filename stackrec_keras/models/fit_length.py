"""Tells learning-rate schedules how long a fit is."""

import keras
from keras import ops

from stackrec_keras.errors import ArgumentError
from stackrec_keras.schedules import WarmupStableDecay
from stackrec_keras.stacking.continued_schedule import ContinuedSchedule
from stackrec_keras.stacking.in_place import (
    changing_shapes,
    learning_rate_schedule,
    step_count,
    training_optimizers,
    updating_optimizers,
)


def follows_fit(model: keras.Model) -> bool:
    """Returns whether the learning rate of a model follows the length of its fit."""
    return bool(_open_schedules(model))


class FitLength(keras.callbacks.Callback):
    """Before the first step of a fit, tells the schedules how long the fit is."""

    def __init__(self) -> None:
        super().__init__()
        self.is_set = False

    def on_train_begin(self, logs=None):
        self.is_set = False

    def on_epoch_begin(self, epoch, logs=None):
        # on_train_begin would be too early: BackupAndRestore may still change the first
        # epoch and the number of steps taken.
        if self.is_set:
            return
        self.is_set = True
        if self.params["steps"] is None:
            raise ArgumentError(
                "steps",
                "of the learning-rate schedule is not given, and fit does not know how "
                "many batches an epoch has",
                "Give WarmupStableDecay(..., steps=N), or fit(..., steps_per_epoch=N).",
            )
        left = (self.params["epochs"] - epoch) * self.params["steps"]
        if getattr(self.model, "growth_record", None) is not None:
            left += self.model.growth_record.steps_taken_back(epoch)
        # The context discards compiled steps, which hold the old lengths.
        with changing_shapes(self.model):
            for optimizer, schedule, start in _open_schedules(self.model):
                taken = start + int(ops.convert_to_numpy(step_count(optimizer)))
                schedule.set_fit_steps(taken + left)


def _open_schedules(model):
    """Returns `(optimizer, schedule, start)` for each schedule whose length depends on
    the fit. `start` is the number of steps before the optimizer's count was reset."""
    found = []
    for outer in training_optimizers(model):
        for optimizer in updating_optimizers(outer):
            schedule, start = learning_rate_schedule(optimizer), 0
            if isinstance(schedule, ContinuedSchedule):
                schedule, start = schedule.schedule, schedule.steps
            if isinstance(schedule, WarmupStableDecay) and schedule.steps is None:
                found.append((optimizer, schedule, start))
    return found
