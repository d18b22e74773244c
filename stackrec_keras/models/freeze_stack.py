import keras

from stackrec_keras.arguments import check_integers
from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.freezing import set_frozen


class FreezeStack(keras.callbacks.Callback):
    """Trains only the output embedding in the first epochs, then the whole model.

    Input embeddings, blocks and norms stay as they are until the output embedding has
    learned to read them. A model that grows meanwhile stays frozen. Epochs are counted
    from 0, as in Keras' callbacks, so a resumed run continues as if it had not been
    interrupted. The model is unfrozen when the fit ends, or when another fit begins
    without this callback.

    The optimizer's moments are reset at both ends of the freeze. Its learning rate and
    any `LearningRateSchedule` continue.

    Args:
        epochs: Integer, the number of epochs to freeze for.

    Raises:
        ArgumentError: If `epochs` is not an integer of at least 1. `fit` also raises it
            if the model is not a `SequentialRecommender`.

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
            raise ArgumentError(
                "callbacks",
                "has a FreezeStack, which can freeze a SequentialRecommender, but not "
                f"a {type(self.model).__name__}",
            )

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        set_frozen(self.model, epoch < self.epochs)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        set_frozen(self.model, False)


def add_unfreezing(model, callbacks):
    """Unfreezes the model of a fit, unless a `FreezeStack` is among its callbacks.

    An interrupted fit may have left the model frozen. A backup of such a fit, which
    `BackupAndRestore` reads when the new fit begins, may freeze it again, so a callback
    is added that then unfreezes it.

    Returns:
        The callbacks of the fit.
    """
    is_list = isinstance(callbacks, keras.callbacks.CallbackList)
    each = callbacks.callbacks if is_list else callbacks
    if any(isinstance(callback, FreezeStack) for callback in each):
        return callbacks
    set_frozen(model, False)
    return callbacks if is_list else [*callbacks, _Unfreeze()]


class _Unfreeze(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        set_frozen(self.model, False)
