from typing import Any

import keras
from keras import ops
from keras.initializers import Ones, RandomUniform, Zeros

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


@keras.saving.register_keras_serializable(package="stackrec_keras")
class ReZeroTransformerStack(BlockStack):
    """Causal transformer blocks, each with two gates that start at 0 (ReZero).

    With `norm="post"`, a block computes

        h = LN(x + gate1 * attention(x))
        y = LN(h + gate2 * ffn(h))

    With `norm="pre"`, it computes

        h = x + gate1 * attention(LN(x))
        y = h + gate2 * ffn(LN(h))

    With `"pre"`, a block whose gates are 0 is exactly the identity. `ffn` is two dense
    layers of width `dim` with a ReLU between them. The attention has no output
    projection.

    Args:
        depth: Integer, the number of blocks.
        dim: Integer, the width of the hidden states.
        num_heads: Integer, the number of attention heads, which must divide `dim`.
            Defaults to `1`.
        dropout: Float, dropout rate of the attention weights and of both dense layers'
            outputs. Defaults to `0.0`.
        rezero: Boolean, whether blocks have the gates. Defaults to `True`.
        norm: String, `"post"` or `"pre"`. Defaults to `"post"`.
        **kwargs: The other arguments of `keras.layers.Layer`.

    Call arguments:
        x: Tensor of shape `(batch, time, dim)`.
        training: Boolean or `None`, as in Keras. Defaults to `None`.
        context: Dict or `None`. Its `"is_item"` may be a boolean tensor of shape
            `(batch, time)`. Items then do not see padding. Defaults to `None`.

    Returns:
        Tensor of shape `(batch, time, dim)`.

    Reference:
        [Self-Attentive Sequential Recommendation, ICDM 2018](
        https://arxiv.org/abs/1808.09781),
        [ReZero is All You Need, UAI 2021](https://arxiv.org/abs/2003.04887)
    """

    def __init__(
        self,
        depth: int,
        dim: int,
        num_heads: int = 1,
        dropout: float = 0.0,
        rezero: bool = True,
        norm: str = "post",
        **kwargs,
    ) -> None:
        super().__init__(depth, **kwargs)
        check_integers(dim=dim, num_heads=num_heads)
        check_fraction(dropout=dropout)
        check_bools(rezero=rezero)
        check_choice("norm", norm, ("post", "pre"))
        if dim % num_heads:
            raise ArgumentError("num_heads", f"must divide dim={dim}", "", num_heads)
        self.dim = dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.rezero = rezero
        self.norm = norm
        self.seed_generator = seed_generator(f"{self.name}_seed_generator")

    @property
    def details(self) -> str:
        return f"heads {self.num_heads}, norm {self.norm}"

    def block_weights(self) -> dict[str, BlockWeight]:
        weights = {
            "attention_kernel": self._uniform((self.dim, 3 * self.dim), copied=True),
            "attention_bias": self._uniform((3 * self.dim,), copied=True),
        }
        for i in (1, 2):
            weights[f"dense{i}_kernel"] = self._uniform((self.dim, self.dim))
            weights[f"dense{i}_bias"] = self._uniform((self.dim,))
            weights[f"norm{i}_scale"] = BlockWeight((self.dim,), lambda seed: Ones())
            weights[f"norm{i}_shift"] = BlockWeight((self.dim,), lambda seed: Zeros())
            if self.rezero:
                weights[f"gate{i}"] = BlockWeight((), lambda seed: Zeros(), gate=True)
        return weights

    def _uniform(self, shape, copied=False):
        bound = self.dim**-0.5
        return BlockWeight(
            shape,
            lambda seed: RandomUniform(-bound, bound, seed=seed),
            release_copies=copied,
        )

    def block(
        self,
        x: Tensor,
        weights: dict[str, Tensor],
        kind: int,
        training: bool | None,
        context: Context = None,
    ) -> Tensor:
        for i, branch in ((1, self._attention), (2, self._feed_forward)):
            h = self._normalize(x, weights, i) if self.norm == "pre" else x
            h = branch(h, weights, training, context)
            x = x + (weights[f"gate{i}"] * h if self.rezero else h)
            x = x if self.norm == "pre" else self._normalize(x, weights, i)
        return x

    def _attention(self, x, weights, training, context):
        h = ops.matmul(x, weights["attention_kernel"]) + weights["attention_bias"]
        heads = (*ops.shape(x)[:2], self.num_heads, self.dim // self.num_heads)
        query, key, value = (
            ops.reshape(part, heads) for part in ops.split(h, 3, axis=-1)
        )
        is_item = (context or {}).get("is_item")
        mask = visible_positions(is_item)
        rate = self.dropout if training else 0.0
        h = causal_attention(query, key, value, mask, rate, self.seed_generator)
        return ops.reshape(h, ops.shape(x))

    def _feed_forward(self, x, weights, training, context):
        x = ops.matmul(x, weights["dense1_kernel"]) + weights["dense1_bias"]
        x = dropout(ops.relu(x), self.dropout, training, self.seed_generator)
        x = ops.matmul(x, weights["dense2_kernel"]) + weights["dense2_bias"]
        return dropout(x, self.dropout, training, self.seed_generator)

    def _normalize(self, x, weights, i):
        scale, shift = weights[f"norm{i}_scale"], weights[f"norm{i}_shift"]
        return ops.layer_normalization(x, scale, shift, epsilon=EPSILON)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "dim": self.dim,
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "rezero": self.rezero,
            "norm": self.norm,
        }
