import keras

from stackrec_keras.arguments import check_integers
from stackrec_keras.models.freezing import set_frozen


class FreezeStack(keras.callbacks.Callback):
    """Trains the output table alone for the first epochs, then the whole model.

    Embeddings, blocks and norms stay as they are until the table has learned to read
    them; nor do growths stop it. Epochs are counted from 0, as in Keras' callbacks,
    so that a run that is resumed goes on as if it had not been stopped. When the fit
    ends, or another begins without this callback, all that was trainable is so again.

    The optimizer's moments begin again at both ends of the freeze. Its learning rate
    and a `LearningRateSchedule` go on.

    Args:
        epochs: Integer, for how many epochs.

    Raises:
        ValueError: If `epochs` is no integer of at least 1; when `fit` begins, if
            the model is none of this package.

    Example:

    ```python
    transfer = sr.TransferRecommender(model, num_targets)
    transfer.compile()
    transfer.fit(x, y, epochs=10, callbacks=[sr.FreezeStack(epochs=2)])
    ```
    """

    def __init__(self, epochs: int) -> None:
        super().__init__()
        check_integers(epochs=epochs)
        self.epochs = int(epochs)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        if not hasattr(self.model, "frozen"):
            raise ValueError(
                "FreezeStack freezes a SequentialRecommender (NextItNet, "
                f"TransferRecommender, ...). Received: {type(self.model).__name__}"
            )

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        set_frozen(self.model, epoch < self.epochs)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        set_frozen(self.model, False)


def thawing(model, callbacks):
    """Returns the callbacks of a fit, and thaws a model that no `FreezeStack` among
    them is to freeze: an interrupted fit may have left it so, and so may the file of
    one, which `BackupAndRestore` reads when the fit begins."""
    is_list = isinstance(callbacks, keras.callbacks.CallbackList)
    each = callbacks.callbacks if is_list else callbacks
    if any(isinstance(callback, FreezeStack) for callback in each):
        return callbacks
    set_frozen(model, False)
    return callbacks if is_list else [*callbacks, _Thaw()]


class _Thaw(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        set_frozen(self.model, False)
