"""Weights of StackRec's release, brought over by name."""

import re

import numpy as np


def load_stackrec_weights(model, weights):
    """Sets a model's weights to those of a checkpoint of StackRec's release.

    Args:
        model: A `NextItNet` with the depth of the checkpoint. Where the release
            counts `n` items, its padding among them, `num_items` is `n - 1`.
        weights: Dict from the release's variable names to arrays, such as
            `"nextitnet_residual_blockdecoder_layer_0/dilated_conv1/weight"` of
            shape `(1, kernel_size, dim, dim)`. Optimizer variables are skipped.

    Raises:
        ValueError: If a variable is missing, left over or of another shape. The
            model is untouched then.

    Example:

    ```python
    reader = tf.train.load_checkpoint("model.ckpt")
    names = reader.get_variable_to_shape_map()
    weights = {name: reader.get_tensor(name) for name in names}
    sr.convert.load_stackrec_weights(model, weights)
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """
    weights = {
        name: np.asarray(value)
        for name, value in weights.items()
        if not _OF_OPTIMIZER.search(name)
    }
    depth = len({m.group(1) for name in weights if (m := _BLOCK.match(name))})
    if depth != model.num_blocks:
        raise ValueError(
            f"weights has {depth} blocks, the model {model.num_blocks}. Build the "
            f"model with num_blocks={depth}."
        )
    values = [
        (variable, _from_release(weights, names, variable))
        for variable, names in _nextitnet_names(model)
    ]
    if weights:
        raise ValueError(
            f"weights has variables that {type(model).__name__} has not: "
            f"{sorted(weights)[:5]}. Does the model have the arguments of the "
            "checkpoint (rezero among them)?"
        )
    for variable, value in values:
        variable.assign(value)


_BLOCK = re.compile(r"nextitnet_residual_blockdecoder_layer_(\d+)/")
_OF_OPTIMIZER = re.compile(r"/Adam(_\d+)?$|^beta\d_power$|^global_step$")
_BLOCK_NAMES = {
    "kernel": "dilated_conv{}/weight",
    "bias": "dilated_conv{}/bias",
    "norm{}_scale": "layer_norm{}/gamma",
    "norm{}_shift": "layer_norm{}/beta",
}


def _nextitnet_names(model):
    """Pairs of a variable and its name in the release: a list of names, one a
    block, for a stacked variable."""
    pairs = [
        (model.item_embedding.embeddings, "allitem_embeddings"),
        (model.output_table.table, "softmax_w"),
        (model.output_table.bias, "softmax_b"),
    ]
    for name, variable in model.stack.variables_by_name().items():
        release = _release_name(name)
        pairs.append(
            (
                variable,
                [
                    f"nextitnet_residual_blockdecoder_layer_{i}/{release}"
                    for i in range(model.num_blocks)
                ],
            )
        )
    return pairs


def _release_name(name):
    if name == "gate":
        return "rez"
    digit = re.search(r"\d", name).group()
    ours = name.replace(digit, "{}") if name.startswith("norm") else name[:-1]
    return _BLOCK_NAMES[ours].format(digit)


def _from_release(weights, names, variable):
    if isinstance(names, str):
        return _take(weights, names, variable.shape)
    return np.stack([_take(weights, name, variable.shape[1:]) for name in names])


def _take(weights, name, shape):
    if name not in weights:
        raise ValueError(f"weights has no variable {name!r}, which the model needs.")
    value = weights.pop(name)
    if value.size != np.prod(shape, dtype=int):
        raise ValueError(
            f"weights[{name!r}] has shape {value.shape}; the model needs one of "
            f"{tuple(shape)}. Build the model with the arguments of the checkpoint."
        )
    return value.reshape(shape)
