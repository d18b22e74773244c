import re
from collections.abc import Mapping

import keras
import numpy as np

from stackrec_keras.convert import tf1_names, torch_names
from stackrec_keras.models import TransformerRecommender


def load_stackrec_weights(
    model: keras.Model, weights: Mapping[str, np.ndarray]
) -> None:
    """Sets a model's weights to those of a checkpoint of StackRec's release.

    Args:
        model: A model with the depth of the checkpoint. Where the release counts `n`
            items, its padding among them, `num_items` is `n - 1`.
        weights: Dict from the release's variable names to arrays: for `NextItNet`
            and `GRec` those of TensorFlow 1, such as
            `"nextitnet_residual_blockdecoder_layer_0/dilated_conv1/weight"` of shape
            `(1, kernel_size, dim, dim)`; for `SASRec` and `SSEPT` those of the torch
            state_dict, such as `"transformers.0.SelfAttention.fc1.weight"`.
            Optimizer variables are skipped.

    Raises:
        ValueError: If a variable is missing, left over or of another shape. The
            model is untouched then.

    Example:

    ```python
    weights = sr.convert.read_checkpoint("sasrec.pt")
    model = sr.SASRec(num_items=3706, max_length=20, num_blocks=8)
    sr.convert.load_stackrec_weights(model, weights)
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """
    names = torch_names if isinstance(model, TransformerRecommender) else tf1_names
    checkpoint = Checkpoint(weights)
    depth = checkpoint.depth(names.BLOCK)
    if depth != model.num_blocks:
        raise ValueError(
            f"weights has {depth} blocks, the model {model.num_blocks}. Build the "
            f"model with num_blocks={depth}."
        )
    values = list(names.values(model, checkpoint.take))
    checkpoint.check_empty(model)
    if len(values) != len(model.weights):
        raise ValueError(
            f"This {type(model).__name__} has weights that no model of the release "
            "has. Build it with the arguments of the checkpoint."
        )
    for variable, value in values:
        variable.assign(value)


class Checkpoint:
    """The variables of a checkpoint, taken out of it one by one.

    Args:
        weights: Dict from name to array. Variables of an optimizer are left out.
    """

    def __init__(self, weights):
        self._weights = {
            name: np.asarray(value)
            for name, value in weights.items()
            if not _OF_OPTIMIZER.search(name)
        }

    def depth(self, block):
        """Returns the number of blocks, `block` being the pattern of their names."""
        found = [match for name in self._weights if (match := block.match(name))]
        return len({match.group(1) for match in found})

    def take(self, name, shape):
        """Returns the variable of that name in that shape."""
        if name not in self._weights:
            raise ValueError(
                f"weights has no variable {name!r}, which the model needs."
            )
        value = self._weights.pop(name)
        if _without_ones(value.shape) != _without_ones(shape):
            raise ValueError(
                f"weights[{name!r}] has shape {value.shape}; the model needs one of "
                f"{tuple(shape)}. Build the model with the arguments of the checkpoint."
            )
        return value.reshape(shape)

    def check_empty(self, model):
        """Raises a ValueError if variables are left."""
        if self._weights:
            raise ValueError(
                f"weights has variables that {type(model).__name__} has not: "
                f"{sorted(self._weights)[:5]}. Does the model have the arguments of "
                "the checkpoint (rezero among them)?"
            )


def _without_ones(shape):
    return [size for size in shape if size != 1]


_OF_OPTIMIZER = re.compile(r"/Adam(_\d+)?$|^beta\d_power$|^global_step$")
