from collections.abc import Mapping
from os import PathLike

import numpy as np

from stackrec_keras.convert import tf1_names, torch_names
from stackrec_keras.convert.load import Checkpoint, load_stackrec_weights
from stackrec_keras.convert.numbering import release_numbering
from stackrec_keras.models import (
    ConvolutionalRecommender,
    SASRec,
    SequentialRecommender,
)
from stackrec_keras.models.registry import MODELS


def build_stackrec_model(
    name: str,
    weights: Mapping[str, np.ndarray],
    sequences: str | PathLike | None = None,
    user_column: bool = False,
    pad: int | str = 0,
    **arguments,
) -> SequentialRecommender:
    """Builds the model that a checkpoint of StackRec's release is of.

    Sizes and depth follow from the shapes of the variables. What leaves no trace in
    them has the release's defaults, unless given. A checkpoint knows items by numbers
    alone; with the file of sequences that it was trained on, the model has their ids,
    and what the release took for padding becomes index 0.

    Args:
        name: String, `"nextitnet"`, `"grec"`, `"sasrec"` or `"ssept"`.
        weights: Dict as for `load_stackrec_weights`.
        sequences: The release's file of sequences, from which the model gets its
            vocabulary. `None`: items are indices, the release's own.
        user_column: Boolean, whether the first column of that file is the user's id.
        pad: The id that stands for padding in that file.
        **arguments: Arguments of the model that the shapes do not tell, such as
            `dilations`, `num_heads` or `dropout`.

    Returns:
        The model, with the weights of the checkpoint, compiled anew.

    Raises:
        ValueError: If the name is unknown, the checkpoint is not of that model, or
            the sequences are not those it was trained on.

    Example:

    ```python
    weights = sr.convert.read_checkpoint("ssept.pt")
    model = sr.convert.build_stackrec_model(
        "ssept", weights, "movielen_20_context.csv", user_column=True, num_heads=2
    )
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """
    if name.lower() not in MODELS:
        raise ValueError(
            f"name must be one of {', '.join(map(repr, MODELS))}. Received: {name!r}"
        )
    kind = MODELS[name.lower()]
    of_tf1 = issubclass(kind, ConvolutionalRecommender)
    names, sizes = (tf1_names, _tf1_sizes) if of_tf1 else (torch_names, _torch_sizes)
    numbering = None
    if sequences is not None:
        numbering = release_numbering(sequences, user_column, pad, of_tf1)
    try:
        if numbering is not None:
            weights = numbering.renumbered(weights, names.ITEM_TABLES)
        model = kind(**{**sizes(weights, kind), **arguments})
    except KeyError as error:
        raise ValueError(
            f"The checkpoint has no variable {error}, so it is of no {kind.__name__}. "
            f"It has {sorted(weights)[:5]}, ..."
        ) from error
    load_stackrec_weights(model, weights)
    model.compile()
    if numbering is not None:
        model.vocabulary = numbering.vocabulary
        model.trained_length = numbering.length - 1
    return model


def _tf1_sizes(weights, kind):
    num_classes, dim = weights["allitem_embeddings"].shape
    block = "nextitnet_residual_blockdecoder_layer_0"
    return {
        "num_items": num_classes - 1,
        "embedding_dim": dim,
        "num_blocks": Checkpoint(weights).depth(tf1_names.BLOCK),
        "kernel_size": weights[f"{block}/dilated_conv1/weight"].shape[1],
        "rezero": f"{block}/rez" in weights,
    }


def _torch_sizes(weights, kind):
    num_classes, dim = weights["item_embeddings.weight"].shape
    sizes = {
        "num_items": num_classes - 1,
        "max_length": len(weights["pos_embeddings.weight"]),
        "num_blocks": Checkpoint(weights).depth(torch_names.BLOCK),
    }
    if kind is SASRec:
        return {**sizes, "embedding_dim": dim}
    num_users, user_dim = weights["user_embeddings.weight"].shape
    return {**sizes, "num_users": num_users, "item_dim": dim, "user_dim": user_dim}
