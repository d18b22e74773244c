"""The names of SASRec's and SSE-PT's variables in the reference implementation.

torch stores the matrix of a dense layer as (out, in), Keras as (in, out).
"""

import re

import numpy as np

BLOCK = re.compile(r"transformers\.(\d+)\.")
ITEM_TABLES = ("item_embeddings.weight", "final.weight", "final.bias")


def values(model, take):
    """Yields each variable of a model with its value in a checkpoint.

    Args:
        model: A `SASRec` or `SSEPT`.
        take: Function that returns a variable's array, given its name and shape.
    """
    for variable, name in _plain_names(model):
        yield variable, take(name, variable.shape)
    dim = model.stack.dim
    of_blocks = [_block(i, dim, take, model.rezero) for i in range(model.num_blocks)]
    for name, variable in model.stack.variables_by_name().items():
        yield variable, np.stack([block[name] for block in of_blocks])


def _plain_names(model):
    pairs = [
        (model.item_embedding.embeddings, "item_embeddings.weight"),
        (model.position_embedding.embeddings, "pos_embeddings.weight"),
        (model.embedding_norm.gamma, "layer_norm_pre.weight"),
        (model.embedding_norm.beta, "layer_norm_pre.bias"),
        (model.output_table.table, "final.weight"),
        (model.output_table.bias, "final.bias"),
    ]
    if model.num_users is not None:
        pairs.append((model.user_embedding.embeddings, "user_embeddings.weight"))
    return pairs


def _block(index, dim, take, rezero):
    """Returns a dict from our weight names to one block's arrays."""
    attention = f"transformers.{index}.SelfAttention"
    feed_forward = f"transformers.{index}.ff"
    projections = [f"{attention}.fc{i}" for i in (1, 2, 3)]

    def kernel(name):
        return take(f"{name}.weight", (dim, dim)).T

    def vector(name):
        return take(name, (dim,))

    gates = {}
    if rezero:
        gates["gate1"] = take(f"{attention}.rez", ())
        gates["gate2"] = take(f"{feed_forward}.rez", ())
    return {
        **gates,
        "attention_kernel": np.concatenate([kernel(p) for p in projections], axis=1),
        "attention_bias": np.concatenate([vector(f"{p}.bias") for p in projections]),
        "norm1_scale": vector(f"{attention}.layer_norm.weight"),
        "norm1_shift": vector(f"{attention}.layer_norm.bias"),
        "dense1_kernel": kernel(f"{feed_forward}.inner_cnn"),
        "dense1_bias": vector(f"{feed_forward}.inner_cnn.bias"),
        "dense2_kernel": kernel(f"{feed_forward}.readout_cnn"),
        "dense2_bias": vector(f"{feed_forward}.readout_cnn.bias"),
        "norm2_scale": vector(f"{feed_forward}.layer_norm.weight"),
        "norm2_shift": vector(f"{feed_forward}.layer_norm.bias"),
    }
