"""The state of a run on disk, saved at the end of each epoch."""

import os

import keras


class Backup(keras.callbacks.Callback):
    """Saves a model, its optimizer and its random states at each epoch's end.

    `keras.callbacks.BackupAndRestore` writes the weights and the number of the epoch to
    two files, so a run that is killed in between has files that do not match. This
    callback writes one file, with the epoch in its name, that appears only when it is
    complete. A run that is killed loses at most the current epoch.

    Args:
        folder: `Path` of the folder for the file.
    """

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    @property
    def holds_epoch(self):
        """Whether an epoch was saved."""
        return bool(self._saved())

    def restore(self, model):
        """Gives a model the last state that was saved.

        Returns:
            Integer, the epoch to continue with; 0 if nothing was saved.
        """
        saved = self._saved()
        if not saved:
            return 0
        model.load_weights(saved[-1])
        return _epoch(saved[-1]) + 1

    def on_epoch_end(self, epoch, logs=None):
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / "partial.weights.h5"
        self.model.save_weights(partial, overwrite=True)
        earlier = self._saved()
        os.replace(partial, self.folder / f"epoch-{epoch}.weights.h5")
        for path in earlier:
            if _epoch(path) != epoch:
                path.unlink()

    def _saved(self):
        return sorted(self.folder.glob("epoch-*.weights.h5"), key=_epoch)


def _epoch(path):
    return int(path.name.split(".")[0].removeprefix("epoch-"))
