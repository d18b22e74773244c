"""A next-item recommender of gMLP blocks (https://arxiv.org/abs/2105.08050)."""

import keras
from keras import ops
from keras.initializers import GlorotUniform, Ones, Zeros

from stackrec_keras.layers import BlockStack, BlockWeight
from stackrec_keras.models import SequentialRecommender


class GMLPStack(BlockStack):
    def __init__(self, depth, dim, max_length, **kwargs):
        super().__init__(depth, **kwargs)
        self.dim = dim
        self.max_length = max_length

    def block_weights(self):
        def matrix(*shape):
            return BlockWeight(shape, GlorotUniform, release_copies=True)

        return {
            "expand": matrix(self.dim, 2 * self.dim),
            "mix": matrix(self.max_length, self.max_length),
            "contract": matrix(self.dim, self.dim),
            "norm_scale": BlockWeight((self.dim,), lambda seed: Ones()),
            "norm_shift": BlockWeight((self.dim,), lambda seed: Zeros()),
            "gate": BlockWeight((), lambda seed: Zeros(), gate=True),
        }

    def block(self, x, weights, kind, training, context=None):
        h = ops.layer_normalization(x, weights["norm_scale"], weights["norm_shift"])
        h = ops.gelu(ops.matmul(h, weights["expand"]))
        passed, mixed = ops.split(h, 2, axis=-1)
        mix = self.mixing(weights, ops.shape(x)[1], context)
        h = passed * (1 + ops.matmul(mix, mixed))
        return x + weights["gate"] * ops.matmul(h, weights["contract"])

    def mixing(self, weights, length, context):
        # Row t has the weights with which position t reads positions up to t.
        first = self.max_length - length
        return ops.tril(weights["mix"])[first:, first:]


@keras.saving.register_keras_serializable(package="example")
class GMLPRecommender(SequentialRecommender):
    stack_class = GMLPStack

    def __init__(self, num_items, max_length, dim=64, num_blocks=4, **kwargs):
        super().__init__(num_items, dim, num_blocks, **kwargs)
        self.max_length = max_length
        self.dim = dim
        self.item_embedding = self.new_item_embedding(dim)
        self.stack = self.stack_class(
            num_blocks, dim, max_length, dtype=self.dtype_policy, name="stack"
        )
        self.stack.build((None, None, dim))
        self.build()

    def hidden_states(self, features, training):
        x = self.item_embedding(features["items"])
        return self.stack(x, training=training, context=features)

    def get_config(self):
        config = {"max_length": self.max_length, "dim": self.dim}
        return {**super().get_config(), **config}
