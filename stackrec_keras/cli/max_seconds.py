"""A budget of wall-clock that a restart does not make forget."""

import keras

from stackrec_keras.cli.history_file import read_rows


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

    def on_epoch_end(self, epoch, logs=None):
        if sum(row["seconds"] for row in read_rows(self.history)) >= self.seconds:
            self.model.stop_training = True
