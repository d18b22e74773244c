"""Freezes a model, so that only its output embedding is trained."""

from dataclasses import dataclass

from stackrec_keras.stacking.growth import all_layers
from stackrec_keras.stacking.in_place import changing_shapes
from stackrec_keras.stacking.optimizer_state import renewed


@dataclass(frozen=True)
class Frozen:
    """The layers that were trainable before freezing.

    The list is wrapped in a class so that Keras does not track the layers twice.
    """

    layers: list


def set_frozen(model, on):
    """Freezes all layers of a model but the output embedding, or unfreezes them.

    The optimizer is replaced by one that knows only what is trained (see `renewed`).
    Therefore neither moments nor weight decay move frozen weights. Unfreezing replaces
    it again, which restarts its step count. Otherwise Adam's bias correction would not
    fit moments that are still 0, and the first steps would be too long.

    Args:
        model: A `SequentialRecommender`, compiled or not.
        on: Boolean, whether to freeze. If the model is in that state already, nothing
            happens.
    """
    if on == (model.frozen is not None):
        return
    with changing_shapes(model):
        layers = model.frozen.layers if model.frozen else _trainable_layers(model)
        for layer in layers:
            layer.trainable = not on
        model.frozen = Frozen(layers) if on else None
        if model.compiled:
            model.optimizer = renewed(model.optimizer, model.trainable_variables)


def _trainable_layers(model):
    output = model.item_embedding if model.tied else model.output_table
    return [x for x in all_layers(model) if x.trainable and x is not output]
