"""Options of a training run: the architecture and its arguments."""

from dataclasses import dataclass

from stackrec_keras.models.registry import (
    ARCHITECTURES,
    ATTENTION,
    CONVOLUTIONAL,
    TRANSFORMERS,
)
from stackrec_keras.runs.option_kinds import integers, option


@dataclass(frozen=True)
class ModelOptions:
    """The options of `TrainConfig` that say which model a run trains.

    Options with `models` are arguments of only those architectures.
    """

    model: str = option(
        "model", "nextitnet", "architecture", choices=tuple(ARCHITECTURES)
    )
    num_blocks: int = option("model", 4, "number of blocks at the start", int)
    embedding_dim: int = option("model", 64, "width of the item embeddings", int)
    kernel_size: int = option(
        "model", 3, "kernel size of each convolution", int, models=CONVOLUTIONAL
    )
    dilations: tuple = option(
        "model",
        (1, 4),
        "dilations of successive blocks, repeated",
        integers,
        models=CONVOLUTIONAL,
    )
    mask_rate: float = option(
        "model",
        0.2,
        "fraction of a row's items that are masked and predicted",
        float,
        models=("grec",),
    )
    encoder: bool = option(
        "model",
        False,
        "add an encoder that sees both sides of each masked item",
        bool,
        models=("grec",),
    )
    num_heads: int = option("model", 1, "attention heads", int, models=ATTENTION)
    dropout: float | None = option(
        "model",
        None,
        "fraction of units to drop in training (default: 0 for sasrec, 0.1 for "
        "esasrec, 0.2 for ssept and hstu)",
        float,
        models=ATTENTION,
    )
    norm: str = option(
        "model",
        "post",
        "where a block normalizes: after its residual sum, or before its layers",
        choices=("post", "pre"),
        models=TRANSFORMERS,
    )
    padding_mask: bool = option(
        "model", False, "mask padding in attention", bool, models=TRANSFORMERS
    )
    user_noise: float = option(
        "model",
        0.8,
        "probability of replacing a user with another in training",
        float,
        models=("ssept",),
    )
    time_bias: bool = option(
        "model",
        True,
        "attention reads the times of the events, including that of the target",
        bool,
        models=("hstu",),
    )
    position_bias: bool = option(
        "model",
        True,
        "attention has a bias by relative position",
        bool,
        models=("hstu",),
    )
    position_embedding: bool = option(
        "model",
        True,
        "a vector for each position is added to the items",
        bool,
        models=("hstu",),
    )
    qk_dim: int | None = option(
        "model",
        None,
        "width of a head's queries and keys (default: that of the embeddings, divided "
        "by the number of heads)",
        int,
        models=("hstu",),
    )
    v_dim: int | None = option(
        "model",
        None,
        "width of a head's values (default: as for queries)",
        int,
        models=("hstu",),
    )
    expansion: int = option(
        "model",
        4,
        "width of the feed-forward network, as a multiple of the hidden states' width",
        int,
        models=("esasrec",),
    )
    rezero: bool | None = option(
        "model",
        None,
        "gates that start at 0 multiply the branches of each block (default: no for "
        "hstu and esasrec, yes for the others)",
        bool,
    )
    tied: bool = option(
        "model",
        False,
        "use one embedding for input and output, without biases",
        bool,
        models=tuple(name for name in ARCHITECTURES if name != "ssept"),
    )
    normalize: bool = option(
        "model", False, "scores are cosines, divided by the temperature", bool
    )
    temperature: float = option("model", 1.0, "what scores are divided by", float)
