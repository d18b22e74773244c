"""A budget of wall-clock time that includes the time before a restart."""

import keras

from stackrec_keras.runs.callbacks.history_file import rows_before


class MaxSeconds(keras.callbacks.Callback):
    """Stops after the epoch in which the time budget runs out.

    Time before a restart counts too: the seconds are those in the history file, so
    `HistoryFile` must come before this callback.

    Args:
        seconds: Float, the budget.
        history: `Path` of the run's history file.
    """

    def __init__(self, seconds, history):
        super().__init__()
        self.seconds = seconds
        self.history = history

    def stopped_before(self, epoch):
        """Returns whether the budget was spent before this epoch."""
        rows = rows_before(epoch, self.history)
        return sum(row["seconds"] for row in rows) >= self.seconds

    def on_epoch_end(self, epoch, logs=None):
        if self.stopped_before(epoch + 1):
            self.model.stop_training = True
