import time

import keras


class TrialClock(keras.callbacks.Callback):
    """Keeps the time of a trial, and ends it when there is nothing more to gain.

    It writes into the logs of every epoch `num_blocks`, `training_seconds` (since
    the trial began, with compilation, growths and validation) and, with a target,
    `seconds_to_quality`.

    Args:
        monitor: String, a key of the logs. Higher is better, but for a loss.
        target: Float or `None`, the value to reach. The trial ends with the epoch
            that does. Until then `seconds_to_quality` is twice the time budget, and
            more the further away the best value is: never infinite, which Bayesian
            optimization would take for 0.
        time_budget: Float or `None`: after that many seconds the trial ends, within
            an epoch, and is validated.
        seconds_before: Float, what trials took that this one goes on from.
        reached_before: Float or `None`, the second in which they reached the target.
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
        """Float, how long the trial has taken by now."""
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
        # As shares of the target, and a loss with its sign turned.
        sign = -1 if self.monitor.endswith("loss") else 1
        self._best = max(self._best, sign * float(logs[self.monitor]))
        missing = (sign * self.target - self._best) / abs(self.target)
        if missing <= 0 and self.reached is None:
            self.reached = logs["training_seconds"]
        if self.reached is None:
            logs["seconds_to_quality"] = 2 * self.time_budget * (1 + missing)
        else:
            logs["seconds_to_quality"] = self.reached
            self.model.stop_training = True
