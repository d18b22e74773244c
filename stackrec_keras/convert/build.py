from collections.abc import Mapping
from os import PathLike

import numpy as np

from stackrec_keras.arguments import check_choice
from stackrec_keras.convert import tf1_names, torch_names
from stackrec_keras.convert.load import Checkpoint, load_stackrec_weights
from stackrec_keras.convert.numbering import reference_numbering
from stackrec_keras.errors import ArgumentError
from stackrec_keras.models import (
    ConvolutionalRecommender,
    SASRec,
    SequentialRecommender,
)
from stackrec_keras.models.registry import STACKREC, model_class


def build_stackrec_model(
    name: str,
    weights: Mapping[str, np.ndarray],
    sequences: str | PathLike | None = None,
    user_column: bool = False,
    pad: int | str = 0,
    **arguments,
) -> SequentialRecommender:
    """Builds a model from a checkpoint of StackRec's reference implementation.

    Sizes and depth follow from the variables. Other arguments default to
    the reference implementation's values. A checkpoint holds only item numbers, no raw
    ids. If you give the file of sequences that it was trained on, the model also knows
    the raw ids. The reference implementation's padding becomes index 0.

    Args:
        name: String, `"nextitnet"`, `"grec"`, `"sasrec"` or `"ssept"`.
        weights: Dict as for `load_stackrec_weights`.
        sequences: Path of the file of sequences that the checkpoint was trained on,
            from which the vocabulary is read. Defaults to `None`: items have only the
            reference implementation's numbers.
        user_column: Boolean, whether the first column of that file is the user's id.
            Defaults to `False`.
        pad: The id that stands for padding in that file. Defaults to `0`.
        **arguments: Arguments of the model that the shapes do not determine, such as
            `dilations`, `num_heads` or `dropout`.

    Returns:
        The compiled model, with the weights of the checkpoint.

    Raises:
        ArgumentError: If the name is unknown, or the checkpoint belongs to a different
            model or was trained on different sequences.

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
    check_choice("name", name.lower(), STACKREC)
    kind = model_class(name.lower())
    of_tf1 = issubclass(kind, ConvolutionalRecommender)
    names, sizes = (tf1_names, _tf1_sizes) if of_tf1 else (torch_names, _torch_sizes)
    numbering = None
    if sequences is not None:
        numbering = reference_numbering(sequences, user_column, pad, of_tf1)
    try:
        if numbering is not None:
            weights = numbering.renumbered(weights, names.ITEM_TABLES)
        model = kind(**{**sizes(weights, kind), **arguments})
    except KeyError as error:
        raise ArgumentError(
            "weights",
            f"has no variable {error}, so it is not a checkpoint of {kind.__name__}",
            f"Give the name of the right model. "
            f"The checkpoint has variables such as {sorted(weights)[:5]}.",
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
