"""Losses over an item catalogue."""

from typing import Any

import keras

from stackrec_keras.losses.binary_cross_entropy import BinaryCrossEntropy
from stackrec_keras.losses.catalogue_loss import CatalogueLoss
from stackrec_keras.losses.full_softmax import FullSoftmax
from stackrec_keras.losses.gbce import GBCE
from stackrec_keras.losses.sampled_softmax import SampledSoftmax

__all__ = [
    "GBCE",
    "BinaryCrossEntropy",
    "CatalogueLoss",
    "FullSoftmax",
    "SampledSoftmax",
    "get",
]

_NAMES = {
    "auto": FullSoftmax,
    "full_softmax": FullSoftmax,
    "sampled_softmax": SampledSoftmax,
    "gbce": GBCE,
    "binary_cross_entropy": BinaryCrossEntropy,
    "FullSoftmax": FullSoftmax,
    "SampledSoftmax": SampledSoftmax,
    "GBCE": GBCE,
    "BinaryCrossEntropy": BinaryCrossEntropy,
}


def get(
    identifier: CatalogueLoss | type[CatalogueLoss] | str | dict[str, Any],
) -> CatalogueLoss:
    """The catalogue loss that `identifier` stands for.

    Args:
        identifier: A `CatalogueLoss`; `"auto"` (`FullSoftmax`); the name of a
            loss (`"full_softmax"`, `"sampled_softmax"`, `"gbce"`,
            `"binary_cross_entropy"`, or the name under which a class is registered
            with Keras); or a serialized loss.

    Returns:
        A `CatalogueLoss`.

    Raises:
        ValueError: For anything else, stock Keras losses above all.
    """
    found: Any = identifier
    if isinstance(identifier, dict):
        found = keras.saving.deserialize_keras_object(identifier)
    elif isinstance(identifier, str):
        found = _NAMES.get(identifier)
        found = found or keras.saving.get_registered_object(identifier)
    if isinstance(found, type) and issubclass(found, CatalogueLoss):
        found = found()
    if isinstance(found, CatalogueLoss):
        return found
    raise ValueError(
        f"loss={_name(identifier)} cannot be used here: the model would hand it "
        "hidden states, not item scores, and it knows nothing of the item "
        "table. Use loss='auto' (FullSoftmax), FullSoftmax(), SampledSoftmax(), "
        "GBCE() or BinaryCrossEntropy() of stackrec_keras.losses, or a subclass of "
        "stackrec_keras.losses.CatalogueLoss."
    )


def _name(identifier):
    if isinstance(identifier, str):
        return repr(identifier)
    return getattr(identifier, "__name__", type(identifier).__name__)
