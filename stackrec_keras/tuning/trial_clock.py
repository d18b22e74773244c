import time

import keras

from stackrec_keras import monitors


class TrialClock(keras.callbacks.Callback):
    """Measures the time of a trial, and ends it at its time budget or target.

    It adds `num_blocks`, `training_seconds` and, with a target, `seconds_to_quality` to
    the logs of every epoch. `training_seconds` counts from the start of the trial and
    includes compilation, growth steps and validation.

    Args:
        monitor: String, a key of the logs. Higher is better, except for a loss.
        target: Float, the value to reach. The trial ends with the epoch that reaches
            it. Until then, `seconds_to_quality` is at least twice the time budget, and
            grows with the distance from the best value to the target. It is never
            infinite, because Bayesian optimization would treat infinity as 0. Defaults
            to `None`.
        time_budget: Float, the seconds after which the trial ends, even in the middle
            of an epoch. The model is then validated. Defaults to `None`.
        seconds_before: Float, the seconds of the trials that this one continues.
            Defaults to `0.0`.
        reached_before: Float, the seconds after which those trials reached the target.
            Defaults to `None`: they did not reach it.
    """

    def __init__(
        self,
        monitor,
        target=None,
        time_budget=None,
        seconds_before=0.0,
        reached_before=None,
    ):
        super().__init__()
        self.monitor = monitor
        self.target = target
        self.time_budget = time_budget
        self.seconds_before = seconds_before
        self.reached = reached_before
        self._start = 0.0
        self._best = float("-inf")

    @property
    def seconds(self):
        """Float, the seconds that the trial has taken so far."""
        return self.seconds_before + time.perf_counter() - self._start

    def on_train_begin(self, logs=None):
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        over = self.time_budget is not None and self.seconds >= self.time_budget
        if over or self.reached is not None:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        logs["num_blocks"] = self.model.num_blocks
        logs["training_seconds"] = self.seconds
        if self.target is None:
            return
        # The gap is relative to the target, and the sign of a loss is reversed.
        sign = monitors.sign(self.monitor)
        self._best = max(self._best, sign * float(logs[self.monitor]))
        missing = (sign * self.target - self._best) / abs(self.target)
        if missing <= 0 and self.reached is None:
            self.reached = logs["training_seconds"]
        if self.reached is None:
            logs["seconds_to_quality"] = 2 * self.time_budget * (1 + missing)
        else:
            logs["seconds_to_quality"] = self.reached
            self.model.stop_training = True
