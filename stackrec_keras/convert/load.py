import re
from collections.abc import Mapping

import keras
import numpy as np

from stackrec_keras.convert import tf1_names, torch_names
from stackrec_keras.errors import ArgumentError
from stackrec_keras.models import TransformerRecommender
from stackrec_keras.wording import counted


def load_stackrec_weights(
    model: keras.Model, weights: Mapping[str, np.ndarray]
) -> None:
    """Loads a checkpoint of StackRec's reference implementation into a model.

    Args:
        model: A model with the depth of the checkpoint. The reference implementation
            counts the padding as an item, so `num_items` is one less than its count.
        weights: Dict from the reference implementation's variable names to arrays. For
            `NextItNet` and `GRec` the names come from TensorFlow 1, such as
            `"nextitnet_residual_blockdecoder_layer_0/dilated_conv1/weight"` of shape
            `(1, kernel_size, dim, dim)`. For `SASRec` and `SSEPT` they come from the
            torch state_dict, such as `"transformers.0.SelfAttention.fc1.weight"`.
            Optimizer variables are skipped.

    Raises:
        ArgumentError: If a variable is missing, unexpected or has the wrong shape, or
            if the model was built with `tied`, `normalize` or `item_features`. The
            model is then left unchanged.

    Example:

    ```python
    weights = sr.convert.read_checkpoint("sasrec.pt")
    model = sr.SASRec(num_items=3706, max_length=20, num_blocks=8)
    sr.convert.load_stackrec_weights(model, weights)
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """
    _check_scoring(model)
    names = torch_names if isinstance(model, TransformerRecommender) else tf1_names
    checkpoint = Checkpoint(weights)
    depth = checkpoint.depth(names.BLOCK)
    if depth != model.num_blocks:
        raise ArgumentError(
            "weights",
            f"has {counted(depth, 'block')}, but the model has {model.num_blocks}",
            f"Build the model with num_blocks={depth}.",
        )
    values = list(names.values(model, checkpoint.take))
    checkpoint.check_empty(model)
    if len(values) != len(model.weights):
        raise ArgumentError(
            "model",
            "has weights that no model of the reference implementation has",
            "Build it with the arguments that the saved model had.",
            model,
        )
    for variable, value in values:
        variable.assign(value)


def _check_scoring(model):
    """Checks that a model has an output embedding and biases, as checkpoints do."""
    for name in ("tied", "normalize"):
        if getattr(model, name):
            raise ArgumentError(
                "model",
                f"was built with {name}=True, but the reference implementation has "
                "an output embedding and a bias for each item",
                f"Build it with {name}=False.",
                model,
            )
    if model.num_item_features is not None:
        raise ArgumentError(
            "model",
            "was built with item_features, which the reference implementation lacks",
            "Build it without them.",
            model,
        )


class Checkpoint:
    """The variables of a checkpoint, which are taken out one by one.

    Args:
        weights: Dict from name to array. Optimizer variables are skipped.
    """

    def __init__(self, weights):
        self._weights = {
            name: np.asarray(value)
            for name, value in weights.items()
            if not _OF_OPTIMIZER.search(name)
        }

    def depth(self, block):
        """Returns the number of blocks.

        Args:
            block: Compiled regular expression that matches the names of the blocks'
                variables. Its first group is the block's number.
        """
        found = [match for name in self._weights if (match := block.match(name))]
        return len({match.group(1) for match in found})

    def take(self, name, shape):
        """Removes the variable with this name and returns it, reshaped to `shape`."""
        if name not in self._weights:
            raise ArgumentError(
                "weights", f"has no variable {name!r}, which the model needs"
            )
        value = self._weights.pop(name)
        if _drop_unit_axes(value.shape) != _drop_unit_axes(shape):
            raise ArgumentError(
                "weights",
                f"has {name!r} of shape {value.shape}, but the model needs the shape "
                f"{tuple(shape)}",
                "Build the model with the arguments that the saved model had.",
            )
        return value.reshape(shape)

    def check_empty(self, model):
        """Checks that no variables are left."""
        if self._weights:
            raise ArgumentError(
                "weights",
                f"has variables that {type(model).__name__} lacks: "
                f"{sorted(self._weights)[:5]}",
                "Build the model with the arguments that the saved model had, such as "
                "the same rezero.",
            )


def _drop_unit_axes(shape):
    return [size for size in shape if size != 1]


_OF_OPTIMIZER = re.compile(r"/Adam(_\d+)?$|^beta\d_power$|^global_step$")
