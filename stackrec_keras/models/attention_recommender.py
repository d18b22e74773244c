from typing import Any

from keras import ops
from keras.initializers import RandomNormal

from stackrec_keras.arguments import check_bools, check_fraction, check_integers
from stackrec_keras.layers import Embedding, dropout
from stackrec_keras.models.inputs import Features
from stackrec_keras.models.sequential_recommender import SequentialRecommender
from stackrec_keras.types import Tensor


class AttentionRecommender(SequentialRecommender):
    """Base of the models whose blocks attend to earlier items.

    A subclass builds its embeddings and its stack in the constructor, and says how
    features become vectors (`embed`). This class adds position vectors, counted from
    the left end of the input. It drops units in training, and applies the stack with a
    mask of the padding.

    Args:
        num_items: Integer; item ids are 1..num_items, 0 is padding (on the left).
        dim: Integer, the width of the hidden states.
        max_length: Integer, the maximum input length. Longer inputs are cut to their
            last items.
        num_blocks: Integer, the depth to build with.
        num_heads: Integer, number of attention heads.
        dropout: Float, fraction of units to drop in training.
        rezero: Boolean, whether each branch of a block is multiplied by a gate that
            starts at 0.
        **kwargs: The other arguments of `SequentialRecommender`.
    """

    def __init__(
        self,
        num_items: int,
        dim: int,
        max_length: int,
        num_blocks: int,
        num_heads: int,
        dropout: float,
        rezero: bool,
        **kwargs,
    ) -> None:
        check_integers(max_length=max_length, num_heads=num_heads)
        check_fraction(dropout=dropout)
        check_bools(rezero=rezero)
        super().__init__(num_items, dim, num_blocks, **kwargs)
        self.max_length = int(max_length)
        self.num_heads = int(num_heads)
        self.dropout = dropout
        self.rezero = bool(rezero)

    def embed(self, features: Features, training: bool | None) -> Tensor:
        """Returns vectors `(batch, time, dim)`; takes the same arguments as
        `hidden_states`."""
        raise NotImplementedError(f"{type(self).__name__} must define embed().")

    def positions(self, features: Features) -> Tensor:
        """Returns the vectors of the positions, `(time, dim)`.

        Args:
            features: As in `hidden_states`. If there is an `"offset"`, positions count
                from the left end of the input that the batch was cut from.
        """
        time = ops.shape(features["items"])[1]
        positions = ops.arange(0, time, dtype="int32")
        if "offset" in features:
            # 0 in the rows that fill up a batch. If `call` has cut the input too, the
            # columns that it cut do not count.
            offset = ops.cast(ops.max(features["offset"]), "int32")
            positions = positions + ops.minimum(offset, self.max_length - time)
        return self.position_embedding(positions)

    def apply_blocks(
        self, x: Tensor, features: Features, training: bool | None
    ) -> Tensor:
        """Returns the hidden states of embedded items.

        Args:
            x: Tensor of shape `(batch, time, dim)`.
            features: As in `hidden_states`.
            training: Boolean or `None`.
        """
        context = {**features, "is_item": ops.not_equal(features["items"], 0)}
        return self.stack(x, training=training, context=context)

    def hidden_states(self, features: Features, training: bool | None) -> Tensor:
        x = self.embed(features, training) + self.positions(features)
        x = dropout(x, self.dropout, training, self.seed_generator)
        return self.apply_blocks(x, features, training)

    def _embedding(self, size, dim, name, input_shape=(None, None), initializer=None):
        embedding = Embedding(
            size,
            dim,
            embeddings_initializer=initializer or RandomNormal(stddev=0.01),
            dtype=self.dtype_policy,
            name=name,
        )
        embedding.build(input_shape)
        return embedding

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "max_length": self.max_length,
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "rezero": self.rezero,
        }
