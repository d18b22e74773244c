from typing import Any

import keras
from keras import ops
from keras.initializers import GlorotNormal, Ones, Zeros

from stackrec_keras.arguments import (
    check_bools,
    check_choice,
    check_fraction,
    check_integers,
)
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers.block_stack import BlockStack, BlockWeight
from stackrec_keras.layers.causal_attention import causal_attention
from stackrec_keras.layers.dropout import dropout, seed_generator
from stackrec_keras.layers.visible_positions import visible_positions
from stackrec_keras.types import Context, Tensor

EPSILON = 1e-5
ACTIVATIONS = ("swiglu", "gelu", "relu")


@keras.saving.register_keras_serializable(package="stackrec_keras")
class LiGRStack(BlockStack):
    """LiGR's blocks: a pre-norm transformer whose residual branches are gated.

    A block computes `h = x + sigmoid(x A + a) * attention(LN(x))` and
    `y = h + sigmoid(h B + b) * ffn(LN(h))`. For each unit, the gate decides how much of
    the branch is added to the input. The attention has biases and an output projection.
    The feed-forward network is SwiGLU, `W2(silu(W1 x) * W3 x)`, or two dense layers
    with an activation between them.

    Args:
        depth: Integer, number of blocks.
        dim: Integer, width of the hidden states.
        num_heads: Integer, number of attention heads. It must divide `dim`. Defaults
            to `1`.
        expansion: Integer, the width of the feed-forward network, as a multiple of
            `dim`. Defaults to `4`.
        activation: String, `"swiglu"`, `"gelu"` or `"relu"`. Defaults to `"swiglu"`.
        use_ffn_bias: Boolean, whether the dense layers of the feed-forward network
            have biases. Defaults to `False`.
        dropout: Float, dropout rate of the attention weights, the inner units of the
            feed-forward network, and the outputs of both branches. Defaults to `0.0`.
        rezero: Boolean, whether each branch is also multiplied by one number that
            starts at 0 (ReZero). A new block is then exactly the identity. Defaults to
            `False`.
        **kwargs: Other arguments of a Keras layer.

    Call arguments:
        x: Tensor of shape `(batch, time, dim)`.
        training: Boolean or `None`. There is dropout only in training.
        context: Dict or `None`. Its `"is_item"` may be a boolean tensor of shape
            `(batch, time)`. Items then do not see padding.

    Returns:
        Tensor of shape `(batch, time, dim)`. Position `t` depends only on positions up
        to `t`.

    Raises:
        ArgumentError: If an argument is invalid.

    Example:

    ```python
    stack = sr.layers.LiGRStack(depth=2, dim=64, num_heads=4, dropout=0.1)
    states = stack(embedded, context={"is_item": items != 0})
    ```

    Reference:
        [From Features to Transformers: Redefining Ranking for Scalable Impact, 2025](
        https://arxiv.org/abs/2502.03417),
        [ReZero is All You Need, UAI 2021](https://arxiv.org/abs/2003.04887)
    """

    def __init__(
        self,
        depth: int,
        dim: int,
        num_heads: int = 1,
        expansion: int = 4,
        activation: str = "swiglu",
        use_ffn_bias: bool = False,
        dropout: float = 0.0,
        rezero: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(depth, **kwargs)
        check_integers(dim=dim, num_heads=num_heads, expansion=expansion)
        if dim % num_heads:
            raise ArgumentError(
                "num_heads", f"must divide dim={dim}", received=num_heads
            )
        check_choice("activation", activation, ACTIVATIONS)
        check_fraction(dropout=dropout)
        check_bools(use_ffn_bias=use_ffn_bias, rezero=rezero)
        self.dim = dim
        self.num_heads = num_heads
        self.expansion = expansion
        self.activation = activation
        self.use_ffn_bias = use_ffn_bias
        self.dropout = dropout
        self.rezero = rezero
        self.seed_generator = seed_generator(f"{self.name}_seed_generator")

    @property
    def details(self) -> str:
        return f"heads {self.num_heads}, {self.activation}"

    def block_weights(self) -> dict[str, BlockWeight]:
        dim, inner = self.dim, self.expansion * self.dim
        weights = {
            **_dense("attention", dim, 3 * dim),
            **_dense("projection", dim, dim),
            **_dense("dense1", dim, inner, self.use_ffn_bias),
            **_dense("dense2", inner, dim, self.use_ffn_bias),
        }
        if self.activation == "swiglu":
            weights.update(_dense("dense3", dim, inner, self.use_ffn_bias))
        for i in (1, 2):
            weights.update(_dense(f"gating{i}", dim, dim))
            weights[f"norm{i}_scale"] = BlockWeight((dim,), lambda seed: Ones())
            weights[f"norm{i}_shift"] = BlockWeight((dim,), lambda seed: Zeros())
            if self.rezero:
                weights[f"gate{i}"] = BlockWeight((), lambda seed: Zeros(), gate=True)
        return weights

    def block(
        self,
        x: Tensor,
        weights: dict[str, Tensor],
        kind: int,
        training: bool | None,
        context: Context = None,
    ) -> Tensor:
        for i, branch in ((1, self._attention), (2, self._feed_forward)):
            scale, shift = weights[f"norm{i}_scale"], weights[f"norm{i}_shift"]
            h = ops.layer_normalization(x, scale, shift, epsilon=EPSILON)
            h = branch(h, weights, training, context)
            h = dropout(h, self.dropout, training, self.seed_generator)
            h = ops.sigmoid(_apply(x, weights, f"gating{i}")) * h
            x = x + (weights[f"gate{i}"] * h if self.rezero else h)
        return x

    def _attention(self, x, weights, training, context):
        heads = (*ops.shape(x)[:2], self.num_heads, self.dim // self.num_heads)
        query, key, value = (
            ops.reshape(part, heads)
            for part in ops.split(_apply(x, weights, "attention"), 3, axis=-1)
        )
        mask = visible_positions((context or {}).get("is_item"))
        rate = self.dropout if training else 0.0
        h = causal_attention(query, key, value, mask, rate, self.seed_generator)
        return _apply(ops.reshape(h, ops.shape(x)), weights, "projection")

    def _feed_forward(self, x, weights, training, context):
        h = _apply(x, weights, "dense1")
        if self.activation == "swiglu":
            h = ops.silu(h) * _apply(x, weights, "dense3")
        elif self.activation == "gelu":
            h = ops.gelu(h, approximate=False)
        else:
            h = ops.relu(h)
        h = dropout(h, self.dropout, training, self.seed_generator)
        return _apply(h, weights, "dense2")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "dim": self.dim,
            "num_heads": self.num_heads,
            "expansion": self.expansion,
            "activation": self.activation,
            "use_ffn_bias": self.use_ffn_bias,
            "dropout": self.dropout,
            "rezero": self.rezero,
        }


def _dense(name, width, units, use_bias=True):
    """Returns the weights of a dense layer, by name."""
    weights = {
        f"{name}_kernel": BlockWeight(
            (width, units), lambda seed: GlorotNormal(seed=seed), release_copies=True
        )
    }
    if use_bias:
        weights[f"{name}_bias"] = BlockWeight(
            (units,), lambda seed: Zeros(), release_copies=True
        )
    return weights


def _apply(x, weights, name):
    """Applies the dense layer called `name`."""
    x = ops.matmul(x, weights[f"{name}_kernel"])
    bias = weights.get(f"{name}_bias")
    return x if bias is None else x + bias
