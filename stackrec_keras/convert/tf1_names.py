"""The names of NextItNet's and GRec's variables in the reference implementation."""

import re

import numpy as np

BLOCK = re.compile(r"nextitnet_residual_blockdecoder_layer_(\d+)/")
ITEM_TABLES = ("allitem_embeddings", "softmax_w", "softmax_b")


def values(model, take):
    """Yields each variable of a model with its value in a checkpoint.

    Args:
        model: A `NextItNet` or `GRec`.
        take: Function that returns a variable's array, given its name and shape.
    """
    item_vectors = model.item_embedding.embeddings
    yield item_vectors, take("allitem_embeddings", item_vectors.shape)
    table, bias = model.output_table.table, model.output_table.bias
    yield table, take("softmax_w", table.shape)
    yield bias, take("softmax_b", bias.shape)
    for name, variable in model.stack.variables_by_name().items():
        of_blocks = [
            take(
                f"nextitnet_residual_blockdecoder_layer_{i}/{_reference_name(name)}",
                variable.shape[1:],
            )
            for i in range(model.num_blocks)
        ]
        yield variable, np.stack(of_blocks)


def _reference_name(name):
    if name == "gate":
        return "rez"
    digit = re.search(r"\d", name).group()
    return _REFERENCE_NAMES[name.replace(digit, "")].format(digit)


_REFERENCE_NAMES = {
    "kernel": "dilated_conv{}/weight",
    "bias": "dilated_conv{}/bias",
    "norm_scale": "layer_norm{}/gamma",
    "norm_shift": "layer_norm{}/beta",
}
