"""The progress output of training with a time budget."""

import keras

from stackrec_keras.runs.callbacks.history_file import rows_before


class ClockProgress(keras.callbacks.ProgbarLogger):
    """Prints the seconds that training has taken, where Keras prints the number of
    epochs.

    Args:
        seconds: Float, the budget.
        history: `Path` of the run's history file.
    """

    def __init__(self, seconds, history):
        super().__init__()
        self.seconds = seconds
        self.history = history

    def on_epoch_begin(self, epoch, logs=None):
        spent = sum(row["seconds"] for row in rows_before(epoch, self.history))
        if self.verbose:
            print(f"Epoch {epoch + 1} (after {spent:,.1f} of {self.seconds:,.1f} s)")
        self.epochs = 1  # so that Keras prints no heading
        super().on_epoch_begin(epoch, logs)
