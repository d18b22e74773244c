"""A model of which only the output table learns, for a while."""

from dataclasses import dataclass

from stackrec_keras.layers import OutputTable
from stackrec_keras.stacking.growth import all_layers
from stackrec_keras.stacking.in_place import changing_shapes
from stackrec_keras.stacking.optimizer_state import renewed


@dataclass(frozen=True)
class Frozen:
    """The layers that were trainable before. Keras does not look inside of it, and
    so does not track them a second time."""

    layers: list


def set_frozen(model, on):
    """Freezes all layers of a model but its output table, or thaws them.

    The optimizer is a new one then (see `renewed`) that knows only what is trained:
    so no moment and no weight decay moves a frozen weight, and no moment that was
    kept at 0 makes its first steps too long.

    Args:
        model: A `SequentialRecommender`, compiled or not.
        on: Boolean. Nothing happens to a model that is so already.
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
    return [
        layer
        for layer in all_layers(model)
        if layer.trainable and not isinstance(layer, OutputTable)
    ]
