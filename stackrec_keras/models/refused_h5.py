"""Refuses Keras' legacy .h5 format: a whole model saved in it cannot be loaded.

Keras does not tell a model which file it is saved to, so this module reads a private
flag that Keras sets while it writes an .h5 file.
"""

from os import PathLike
from typing import Any

import keras
from keras.src.backend.common.global_state import get_global_attribute

from stackrec_keras.errors import ArgumentError

_FIX = (
    "Give a name that ends in .keras: such a file holds the model, its optimizer and "
    "its vocabulary. To save only the weights, use save_weights, or ModelCheckpoint("
    "..., save_weights_only=True), with a name that ends in .weights.h5."
)


class SavesAsKeras(keras.Model):
    """Makes a model refuse to save itself to a file that could not be loaded."""

    def save(
        self,
        filepath: str | PathLike,
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs,
    ) -> None:
        """Saves the model to a `.keras` file.

        Args:
            filepath: Path of the file.
            overwrite: Boolean, whether to replace an existing file. Defaults to
                `True`.
            zipped: Boolean. `False` saves to a folder instead. Defaults to `None`,
                which means `True`.
            **kwargs: The other arguments of `keras.Model.save`.

        Raises:
            ArgumentError: If `filepath` does not end in `.keras`. Nothing is written.
        """
        if zipped is not False:
            check_path("filepath", filepath)
        super().save(filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def get_config(self) -> dict[str, Any]:
        if get_global_attribute("use_legacy_config"):  # set by keras.saving.save_model
            raise ArgumentError("filepath", "must not be an .h5 file", _FIX)
        return super().get_config()


def check_path(name, path):
    """Checks that a whole model can be saved to a path and loaded from it."""
    path = str(path)
    if not path.endswith(".keras") and not path.startswith("hf://"):
        raise ArgumentError(name, "cannot hold a model", _FIX, path)


def check_checkpoints(callbacks):
    """Checks the paths to which any `ModelCheckpoint` would save whole models."""
    for callback in callbacks:
        is_checkpoint = isinstance(callback, keras.callbacks.ModelCheckpoint)
        if is_checkpoint and not callback.save_weights_only:
            check_path("ModelCheckpoint: filepath", callback.filepath)
