"""Training batches that come in parts of different width: see `data.Batches`."""

from typing import Any

from keras import ops

from stackrec_keras.models.inputs import Data
from stackrec_keras.types import Tensor


def in_parts(inputs: Data) -> bool:
    """Returns whether the inputs of a model are a tuple of parts. Keras and PyTorch may
    have made a list of it."""
    return (
        isinstance(inputs, (tuple, list))
        and len(inputs) > 0
        and all(isinstance(part, dict) for part in inputs)
    )


def joined_inputs(parts: Any) -> dict[str, Tensor]:
    """Returns parts of inputs as one dict of features, without `"offset"`."""
    names = [name for name in parts[0] if name != "offset"]
    return {name: joined([part[name] for part in parts]) for name in names}


def joined(parts: Any) -> Tensor | None:
    """Joins the rows of parts, the widest first. Parts that are less wide get columns
    of zeros on the left.

    Args:
        parts: List of tensors `(rows, time, ...)`, or `(rows,)`; or `None`.
    """
    if parts is None:
        return None
    first, *rest = map(ops.convert_to_tensor, parts)
    if len(first.shape) == 1:
        return ops.concatenate([first, *rest])
    width = ops.shape(first)[1]
    others = [(0, 0)] * (len(first.shape) - 2)
    padded = [
        ops.pad(part, [(0, 0), (width - ops.shape(part)[1], 0), *others])
        for part in rest
    ]
    return ops.concatenate([first, *padded])
