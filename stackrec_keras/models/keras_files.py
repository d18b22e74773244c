"""Refuses Keras' legacy .h5 format, which writes a model that no one can load.

(Keras tells no model which file it is saved to, so this reads a private flag.)
"""

from os import PathLike
from typing import Any

import keras
from keras.src.backend.common.global_state import get_global_attribute

_WAY_OUT = (
    "Give a name that ends in .keras: such a file has the model, its optimizer and its "
    "vocabulary. A .weights.h5 file of save_weights, or of ModelCheckpoint(..., "
    "save_weights_only=True), has the weights."
)


class SavesAsKeras(keras.Model):
    """What a model adds to Keras' saving so that each file can be loaded."""

    def save(
        self,
        filepath: str | PathLike,
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs,
    ) -> None:
        """Saves the model, to a `.keras` file or, with `zipped=False`, a folder; the
        arguments are those of `keras.Model.save`.

        Raises:
            ValueError: If `filepath` has another ending. Nothing is written then.
        """
        if zipped is not False:
            check_path("filepath", filepath)
        super().save(filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def get_config(self) -> dict[str, Any]:
        if get_global_attribute("use_legacy_config"):  # by keras.saving.save_model
            raise ValueError(f"An .h5 file cannot hold a model. {_WAY_OUT}")
        return super().get_config()


def check_path(name, path):
    """Raises a ValueError unless a whole model can be saved to that path and loaded."""
    path = str(path)
    if not path.endswith(".keras") and not path.startswith("hf://"):
        raise ValueError(f"{name}={path!r} cannot hold a model. {_WAY_OUT}")


def check_checkpoints(callbacks):
    """Raises a ValueError for a `ModelCheckpoint` that would save to such a path."""
    for callback in callbacks:
        is_checkpoint = isinstance(callback, keras.callbacks.ModelCheckpoint)
        if is_checkpoint and not callback.save_weights_only:
            check_path("filepath of ModelCheckpoint", callback.filepath)
