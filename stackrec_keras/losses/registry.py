"""The list of all losses."""

from typing import Any

import keras

from stackrec_keras.errors import ArgumentError
from stackrec_keras.losses.binary_cross_entropy import BinaryCrossEntropy
from stackrec_keras.losses.catalogue_loss import CatalogueLoss
from stackrec_keras.losses.full_softmax import FullSoftmax
from stackrec_keras.losses.gbce import GBCE
from stackrec_keras.losses.sampled_softmax import SampledSoftmax
from stackrec_keras.wording import did_you_mean

# To add a loss, write its class in a file of its own and add a line here.
LOSSES: dict[str, type[CatalogueLoss]] = {
    "full_softmax": FullSoftmax,
    "sampled_softmax": SampledSoftmax,
    "gbce": GBCE,
    "binary_cross_entropy": BinaryCrossEntropy,
}


def get(
    identifier: CatalogueLoss | type[CatalogueLoss] | str | dict[str, Any],
) -> CatalogueLoss:
    """Returns the loss that an identifier stands for.

    Args:
        identifier: A `CatalogueLoss`, one of its subclasses, a serialized loss, or a
            name: `"auto"` (`FullSoftmax()`), `"full_softmax"`, `"sampled_softmax"`,
            `"gbce"`, `"binary_cross_entropy"`, a class name, or a name registered with
            Keras. Classes and names give a loss with its default arguments.

    Returns:
        A `CatalogueLoss`.

    Raises:
        ArgumentError: If `identifier` is anything else, such as a Keras loss.

    Example:

    ```python
    loss = sr.losses.get("sampled_softmax")
    ```
    """
    found: Any = identifier
    if isinstance(identifier, dict):
        found = keras.saving.deserialize_keras_object(identifier)
    elif isinstance(identifier, str):
        found = _from_name(identifier)
    if isinstance(found, type) and issubclass(found, CatalogueLoss):
        found = found()
    if isinstance(found, CatalogueLoss):
        return found
    raise ArgumentError(
        "loss",
        "is not a loss over an item catalogue. A model calls its loss with hidden "
        "states and the output embedding, not with item scores",
        _fix(identifier),
        identifier,
    )


def _from_name(name):
    if name == "auto":
        return FullSoftmax
    names = {**LOSSES, **{kind.__name__: kind for kind in LOSSES.values()}}
    return names.get(name) or keras.saving.get_registered_object(name)


def _fix(identifier):
    meant = did_you_mean(identifier, LOSSES) if isinstance(identifier, str) else ""
    return meant or (
        f"Give one of 'auto', {', '.join(map(repr, LOSSES))}, or an instance of a "
        "subclass of stackrec_keras.losses.CatalogueLoss."
    )
