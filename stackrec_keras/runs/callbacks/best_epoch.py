"""Early stopping that remembers its state after a restart."""

import os

import keras

from stackrec_keras.runs.callbacks.history_file import rows_before
from stackrec_keras.runs.config import MONITOR


class BestEpoch(keras.callbacks.Callback):
    """Stops when a metric has not risen for some epochs, and restores the best weights.

    Works like `keras.callbacks.EarlyStopping(restore_best_weights=True)`, but keeps its
    state on disk: the best weights in their own file, the rest in the history.

    Args:
        patience: Integer, the number of epochs without a better value after which to
            stop.
        weights: `Path` of the file for the best weights.
        history: `Path` of the run's history file.
        monitor: String, a key of the logs; higher is better. Defaults to
            `"val_mrr@5"`.
        deepest: Boolean, whether only epochs of the model's last depth count. Defaults
            to `False`.
    """

    def __init__(self, patience, weights, history, monitor=MONITOR, deepest=False):
        super().__init__()
        self.patience = patience
        self.weights = weights
        self.history = history
        self.monitor = monitor
        self.deepest = deepest
        self.best = None
        self.num_blocks = None
        self.wait = 0

    def stopped_before(self, epoch):
        """Returns whether training had stopped before this epoch."""
        self._recall(epoch)
        return self.wait >= self.patience

    def on_train_begin(self, logs=None):
        self.best = None

    def on_epoch_begin(self, epoch, logs=None):
        if self.best is None:
            self._recall(epoch)

    def on_epoch_end(self, epoch, logs=None):
        if self._observe(float(logs[self.monitor]), self.model.num_blocks):
            self._save()
        if self.wait >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.weights.exists():
            self.model.load_weights(self.weights)
            # The file also has the best epoch's growth record, but the fit is over.
            self.model.growth_record = None

    def _recall(self, epoch):
        self.best, self.num_blocks, self.wait = float("-inf"), None, 0
        for row in rows_before(epoch, self.history):
            self._observe(row[self.monitor], row["num_blocks"])

    def _observe(self, value, num_blocks):
        better = value > self.best or (self.deepest and num_blocks != self.num_blocks)
        self.num_blocks = num_blocks
        self.best, self.wait = (value, 0) if better else (self.best, self.wait + 1)
        return better

    def _save(self):
        self.weights.parent.mkdir(parents=True, exist_ok=True)
        partial = self.weights.with_name("partial.weights.h5")
        self.model.save_weights(partial, overwrite=True)
        os.replace(partial, self.weights)
