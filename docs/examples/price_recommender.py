"""A next-item recommender that reads the prices of its items."""

import keras
from keras import ops
from keras.initializers import GlorotUniform, Zeros

from stackrec_keras.layers import BlockStack, BlockWeight
from stackrec_keras.models import SequentialRecommender


class PriceStack(BlockStack):
    def __init__(self, depth, dim, **kwargs):
        super().__init__(depth, **kwargs)
        self.dim = dim

    def block_weights(self):
        return {
            "kernel": BlockWeight((self.dim + 1, self.dim), GlorotUniform),
            "gate": BlockWeight((), lambda seed: Zeros(), gate=True),
        }

    def block(self, x, weights, kind, training, context=None):
        price = ops.cast(context["price"], x.dtype)
        h = ops.concatenate([x, price[..., None]], axis=-1)
        return x + weights["gate"] * ops.tanh(ops.matmul(h, weights["kernel"]))


@keras.saving.register_keras_serializable(package="example")
class PriceRecommender(SequentialRecommender):
    features = ("items", "price")

    def __init__(self, num_items, dim=64, num_blocks=4, **kwargs):
        super().__init__(num_items, dim, num_blocks, **kwargs)
        self.dim = dim
        self.item_embedding = self.new_item_embedding(dim)
        self.stack = PriceStack(num_blocks, dim, dtype=self.dtype_policy, name="stack")
        self.stack.build((None, None, dim))
        self.build()

    def hidden_states(self, features, training):
        x = self.item_embedding(features["items"])
        return self.stack(x, training=training, context=features)

    def get_config(self):
        return {**super().get_config(), "dim": self.dim}
