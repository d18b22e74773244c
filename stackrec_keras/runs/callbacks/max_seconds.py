"""A budget of wall-clock that a restart does not make forget."""

import keras

from stackrec_keras.runs.callbacks.history_file import rows_before


class MaxSeconds(keras.callbacks.Callback):
    """Stops after the epoch in which the training has taken that many seconds.

    Those before a restart count too: it adds up what the history file has, so
    `HistoryFile` must come before it.

    Args:
        seconds: Float.
        history: `Path` of the run's history file.
    """

    def __init__(self, seconds, history):
        super().__init__()
        self.seconds = seconds
        self.history = history

    def stopped_before(self, epoch):
        """Returns whether the epoch before was the last one."""
        rows = rows_before(epoch, self.history)
        return sum(row["seconds"] for row in rows) >= self.seconds

    def on_epoch_end(self, epoch, logs=None):
        if self.stopped_before(epoch + 1):
            self.model.stop_training = True
