"""The history of a run on disk, one row for each epoch, kept across restarts."""

import csv
import os
import time

import keras


class HistoryFile(keras.callbacks.Callback):
    """Writes a CSV row at each epoch's end.

    The columns are `epoch`, the logs, `num_blocks`, and `seconds`: the time since the
    end of the previous epoch (or the start of training), including growing and
    validation.

    A run that is resumed at epoch 3 keeps the rows of epochs 0 to 2. This callback must
    come before the one that backs up the weights. If the run is killed between the two,
    it repeats the epoch, and writes its row again. In the other order, the row would be
    missing.

    Args:
        path: `Path` of the file.
    """

    def __init__(self, path):
        super().__init__()
        self.path = path
        self._begun = False
        self._clock = 0.0

    def on_train_begin(self, logs=None):
        self._begun = False
        self._clock = time.perf_counter()

    def on_epoch_begin(self, epoch, logs=None):
        if not self._begun:
            _write(self.path, rows_before(epoch, self.path))
            self._begun = True

    def on_epoch_end(self, epoch, logs=None):
        now = time.perf_counter()
        row = {"epoch": epoch, "num_blocks": self.model.num_blocks}
        row.update({name: _plain(value) for name, value in (logs or {}).items()})
        row["seconds"] = round(now - self._clock, 3)
        self._clock = now
        _append(self.path, row)


def rows_before(epoch, path):
    """Returns the rows of all epochs before `epoch`."""
    return [row for row in read_rows(path) if row["epoch"] < epoch]


def read_rows(path):
    """Returns the list of complete rows of a history file, each a dict of numbers."""
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        # The last row may be cut off if the run was killed.
        rows = [row for row in csv.DictReader(file) if all(row.values())]
    return [{name: _number(text) for name, text in row.items()} for row in rows]


def as_history(rows):
    """Returns a dict of lists, like `keras.callbacks.History.history`."""
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}


def _write(path, rows):
    """Replaces the rows of a file. Removes it if there are none."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    for row in rows:
        _append(partial, row)
    if rows:
        os.replace(partial, path)
    else:
        path.unlink(missing_ok=True)


def _append(path, row):
    is_new = not path.exists()
    with open(path, "a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        if is_new:
            writer.writeheader()
        writer.writerow(row)


def _plain(value):
    return value if isinstance(value, int) else float(value)


def _number(text):
    try:
        return int(text)
    except ValueError:
        return float(text)
