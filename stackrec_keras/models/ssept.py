from typing import Any

import keras
from keras import ops
from keras.initializers import RandomNormal

from stackrec_keras.arguments import check_fraction, check_integers
from stackrec_keras.layers.random_numbers import random_integers, random_uniform
from stackrec_keras.layers.split_rows import used_rows
from stackrec_keras.models.extension import extend_users
from stackrec_keras.models.inputs import Features
from stackrec_keras.models.transformer_recommender import TransformerRecommender
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class SSEPT(TransformerRecommender):
    """Next-item recommender with causal self-attention over items and their user.

    In training, it replaces some ids with random ones (stochastic shared embeddings).
    This changes only the inputs of the model, not the data or the targets.

    Args:
        num_items: Integer; item ids are 1..num_items, 0 is padding (on the left).
        num_users: Integer; user ids are 0..num_users-1. Any other user, such as -1,
            gets the mean of all user vectors.
        max_length: Integer, the maximum input length. Longer inputs are cut to their
            last items.
        item_dim: Integer, the width of item embeddings. Defaults to `64`.
        user_dim: Integer, the width of user embeddings. Hidden states have the width
            `user_dim + item_dim`. Defaults to `64`.
        num_blocks: Integer, number of transformer blocks. Defaults to `2`.
        num_heads: Integer, number of attention heads, a divisor of
            `user_dim + item_dim`. Defaults to `1`.
        dropout: Float, fraction of units to drop in training. Defaults to `0.2`.
        user_noise: Float, the probability that training replaces a user. Defaults to
            `0.8`.
        item_noise: Float, the probability that training replaces an item. Padding and
            the last item are never replaced. Defaults to `0.01`.
        rezero: Boolean, whether each block has two gates that start at 0. Defaults to
            `True`.
        norm: String, where a block normalizes: `"post"`, after each residual sum (as in
            the reference implementation), or `"pre"`, before the attention and before
            the dense layers. With `"pre"`, a block whose gates are 0 is exactly the
            identity. Defaults to `"post"`.
        padding_mask: Boolean, whether to hide padding from every position. Defaults to
            `False`, as in the reference implementation.
        **kwargs: `normalize`, `temperature`, `item_features`, `feature_fusion` and
            `id_dropout` (see `SequentialRecommender`); `name`, `dtype` and the other
            arguments of a Keras model.

    Call arguments:
        inputs: Dict of integer tensors: `"items"`, `(batch, time)`, and `"users"`,
            `(batch,)`. Or only the items, if users are unknown.
        training: Boolean or `None`; dropout and noise apply only in training.

    Returns:
        Hidden states, a tensor of shape `(batch, time, user_dim + item_dim)`.

    Raises:
        ArgumentError: If an argument is invalid.

    Example:

    ```python
    model = sr.SSEPT(num_items=3706, num_users=6040, max_length=50, num_blocks=4)
    model.compile()
    model.fit(
        split.train.batches(128, features=model.features),
        epochs=7,
        callbacks=[sr.StackingCallback("stackA")],
    )
    ids, scores = model.recommend({"items": x, "users": users}, k=10)
    ```

    Reference:
        [SSE-PT: Sequential Recommendation Via Personalized Transformer, RecSys
        2020](https://doi.org/10.1145/3383313.3412258)
    """

    features = ("items", "users")
    optional_features = ("users",)

    def __init__(
        self,
        num_items: int,
        num_users: int,
        max_length: int,
        item_dim: int = 64,
        user_dim: int = 64,
        num_blocks: int = 2,
        num_heads: int = 1,
        dropout: float = 0.2,
        user_noise: float = 0.8,
        item_noise: float = 0.01,
        rezero: bool = True,
        norm: str = "post",
        padding_mask: bool = False,
        **kwargs,
    ) -> None:
        check_integers(num_users=num_users, item_dim=item_dim, user_dim=user_dim)
        check_fraction(user_noise=user_noise, item_noise=item_noise)
        super().__init__(
            num_items,
            int(user_dim) + int(item_dim),
            max_length,
            num_blocks,
            num_heads,
            dropout,
            rezero,
            norm,
            padding_mask,
            **kwargs,
        )
        self.num_users = int(num_users)
        self.item_dim, self.user_dim = int(item_dim), int(user_dim)
        self.user_noise, self.item_noise = user_noise, item_noise
        self.item_embedding = self.new_item_embedding(
            self.item_dim, RandomNormal(stddev=0.01)
        )
        self.user_embedding = self._embedding(
            self.num_users, self.user_dim, "user_embedding", (None,)
        )
        self.build()

    def extend_users(self, n: int, init: str = "mean") -> None:
        """Adds users to the model in place, and extends the optimizer's state.

        `extend_items` does the same for items.

        Args:
            n: Integer, how many users.
            init: `"mean"` or `"random"`, how their vectors start. Defaults to
                `"mean"`.

        Raises:
            ArgumentError: If an argument is invalid. The model is then unchanged.
        """
        extend_users(self, n, init)

    def embed(self, features: Features, training: bool | None) -> Tensor:
        items, users = features["items"], features.get("users")
        if users is None:
            users = ops.full(ops.shape(items)[:1], -1, dtype="int32")
        if training:
            items, users = self._noisy_items(items), self._noisy_users(users)
        item_vectors = self.item_embedding(items)
        user_vectors = ops.expand_dims(self._user_vectors(users), axis=1)
        user_vectors = ops.repeat(user_vectors, ops.shape(items)[1], axis=1)
        return ops.concatenate([user_vectors, item_vectors], axis=-1)

    def _user_vectors(self, users):
        known = ops.logical_and(users >= 0, users < self.num_users)
        vectors = self.user_embedding(ops.where(known, users, 0))
        all_users = used_rows(self.user_embedding.embeddings)
        mean = ops.mean(ops.stop_gradient(all_users), axis=0)
        mean = ops.cast(mean, vectors.dtype)
        return ops.where(ops.expand_dims(known, axis=1), vectors, mean)

    def _noisy_users(self, users):
        shape = ops.shape(users)
        others = self._random_ids(shape, 0, self.num_users, users.dtype)
        return ops.where(self._chance(shape) < self.user_noise, others, users)

    def _noisy_items(self, items):
        shape = ops.shape(items)
        others = self._random_ids(shape, 1, self.num_items + 1, items.dtype)
        may_change = ops.logical_and(
            items != 0, ops.arange(shape[1], dtype="int32") < shape[1] - 1
        )
        chosen = ops.logical_and(may_change, self._chance(shape) < self.item_noise)
        return ops.where(chosen, others, items)

    def _random_ids(self, shape, first, end, dtype):
        return ops.cast(random_integers(shape, first, end, self.seed_generator), dtype)

    def _chance(self, shape):
        return random_uniform(shape, self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_users": self.num_users,
            "item_dim": self.item_dim,
            "user_dim": self.user_dim,
            "user_noise": self.user_noise,
            "item_noise": self.item_noise,
        }
