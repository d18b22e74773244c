from os import PathLike
from typing import Any

import keras

from stackrec_keras.models.exporting import export, export_recommender


class Exportable(keras.Model):
    """A recommender that can write programs that run without this package."""

    def export(
        self,
        filepath: str | PathLike,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs,
    ) -> Any:
        """Writes a program that computes what `predict` does.

        Takes the arguments of `keras.Model.export`. Without `input_signature`, the
        program takes the features that the model was trained on. On TensorFlow and JAX,
        histories may have any length, except that `"litert"`, and `"onnx"` on JAX, need
        histories as long as in training. On PyTorch, every format needs that.

        Raises:
            ArgumentError: If the backend cannot write the format, if `filepath` does
                not end as the format needs, or if the program must know a length or
                type that neither training nor `input_signature` gives.
            ImportError: If a package that the format needs is missing.
        """
        return export(self, filepath, format, verbose, input_signature, **kwargs)

    def export_recommender(
        self,
        path: str | PathLike,
        k: int = 10,
        exclude_seen: bool = True,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs,
    ) -> None:
        """Writes a program that computes what `recommend` does.

        Its inputs, all int32, depend on the model: `"items"`, indices `(batch, time)`
        padded with 0; `"users"`, `(batch,)`; `"timestamps"`, `(batch, time)`; and
        `"at"`, `(batch,)`, the time of the request. It returns `"ids"` (indices) and
        `"scores"`, each `(batch, k)`, best first. Where fewer than `k` items are left,
        ids are 0 and scores -inf. If raw ids are strings, a SavedModel also returns
        them, as `"items"`.

        Histories may have any length, with three exceptions that need a fixed length:
        `"litert"`, `"onnx"` on JAX, and an untrained model without a `max_length` on
        PyTorch. The program reads as many of the last items as `recommend` does.

        If the model has a vocabulary, the raw ids are written to `PATH.items.json`
        beside the program, as a list `"ids"` that starts with the id of index 1. A
        `TransferRecommender` also writes `PATH.history_items.json`, with the raw ids
        of the items that its histories may contain.

        Args:
            path: Path of the program.
            k: Integer, number of items for each history. Defaults to `10`.
            exclude_seen: Boolean, whether to leave out the items of the whole history.
                Defaults to `True`.
            format: String, as in `export`. Defaults to `"tf_saved_model"`.
            verbose: As in `keras.Model.export`. Defaults to `None`.
            input_signature: As in `keras.Model.export`. Defaults to `None`, the inputs
                above.
            **kwargs: The other arguments of `keras.Model.export`.

        Raises:
            ArgumentError: As in `export`, or if `k` is not an integer from 1 to
                `num_items`.
            ImportError: If a package that the format needs is missing.

        Example:

        ```python
        model.export_recommender("recommender", k=10)
        program = tf.saved_model.load("recommender")
        ids = program.serve(x)["ids"]
        ```
        """
        export_recommender(
            self, path, k, exclude_seen, format, verbose, input_signature, **kwargs
        )
