"""What the blocks of a trained model look like: their gates and their similarity."""

import keras
import numpy as np
import pandas as pd
from keras import ops

from stackrec_keras.errors import ArgumentError
from stackrec_keras.stacking.model_stacks import block_stacks, depth


def gates(model: keras.Model) -> pd.DataFrame:
    """Returns the gates of a model's blocks. A gate scales what its block adds.

    Args:
        model: A model of `stackrec_keras` whose blocks have gates (`rezero=True`).

    Returns:
        A `pandas.DataFrame` with a row for each block, from the bottom, and a column
        for each gate of a block.

    Raises:
        ArgumentError: If the blocks have no gates.

    Example:

    ```python
    sr.stacking.gates(model).abs().mean()
    ```

    Reference:
        [ReZero is All You Need, UAI 2021](https://arxiv.org/abs/2003.04887)
    """
    columns = {name: values for name, weight, values in _weights(model) if weight.gate}
    if not columns:
        raise ArgumentError(
            "model",
            f"is a {type(model).__name__} whose blocks have no gates",
            "Build it with rezero=True.",
        )
    return pd.DataFrame(columns, index=_block_index(model))


def block_similarity(model: keras.Model) -> pd.DataFrame:
    """Returns how similar a model's blocks are. Stacking relies on this similarity.

    Args:
        model: A model of `stackrec_keras`.

    Returns:
        A `pandas.DataFrame` with a row and a column for each block. A value is the
        cosine similarity of two blocks, each taken as one vector of all its matrices
        and kernels. Biases, norms and gates are left out.

    Example:

    ```python
    sr.stacking.block_similarity(model).round(2)
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """
    kernels = [
        values.reshape(len(values), -1)
        for _, weight, values in _weights(model)
        if len(weight.shape) >= 2
    ]
    blocks = np.concatenate(kernels, axis=1)
    blocks = blocks / np.linalg.norm(blocks, axis=1, keepdims=True)
    index = _block_index(model)
    return pd.DataFrame(blocks @ blocks.T, index=index, columns=index)


def _weights(model):
    """Yields the name, `BlockWeight` and values `(depth, ...)` of each block weight."""
    stacks = block_stacks(model)
    for stack in stacks:
        kinds = stack.block_weights()
        for name, variable in stack.variables_by_name().items():
            title = name if len(stacks) == 1 else f"{stack.name}/{name}"
            yield title, kinds[name], ops.convert_to_numpy(variable).astype("float64")


def _block_index(model):
    return pd.RangeIndex(depth(model), name="block")
