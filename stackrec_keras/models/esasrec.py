from typing import Any

import keras
from keras.initializers import GlorotNormal, RandomNormal

from stackrec_keras.arguments import check_integers
from stackrec_keras.layers import LiGRStack
from stackrec_keras.models.attention_recommender import AttentionRecommender
from stackrec_keras.models.inputs import Features
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class ESASRec(AttentionRecommender):
    """eSASRec, a next-item recommender built from LiGR's blocks.

    It is SASRec with pre-norm blocks, SwiGLU, and residual branches that are gated by
    their input. Padding is hidden from every item.

    Item vectors are drawn from a normal distribution with a standard deviation of 0.02,
    and position vectors from the Glorot normal distribution. RecTools' eSASRec uses
    Glorot normal for both. For the items of MovieLens-1M, Glorot normal also has a
    standard deviation of about 0.02; for a larger catalogue, it is smaller.

    Args:
        num_items: Integer; item ids are 1..num_items, 0 is padding (on the left).
        max_length: Integer, the maximum input length. Longer inputs are cut to their
            last items.
        embedding_dim: Integer, the width of embeddings and hidden states. Defaults to
            `64`.
        num_blocks: Integer, number of blocks. Defaults to `2`.
        num_heads: Integer, number of attention heads, a divisor of `embedding_dim`.
            Defaults to `1`.
        dropout: Float, fraction of units to drop in training, from the embedded items
            and in each block. Defaults to `0.1`.
        expansion: Integer, the width of a block's feed-forward network, as a multiple
            of `embedding_dim`. Defaults to `4`.
        rezero: Boolean, whether each branch also has a gate that starts at 0. A new
            block is then exactly the identity. Defaults to `False`.
        **kwargs: `tied`, `normalize`, `temperature`, `item_features`, `feature_fusion`
            and `id_dropout` (see `SequentialRecommender`); `name`, `dtype` and the
            other arguments of a Keras model.

    Call arguments:
        inputs: Integer tensor of shape `(batch, time)`.
        training: Boolean or `None`; there is dropout only in training.

    Returns:
        Hidden states, a tensor of shape `(batch, time, embedding_dim)`.

    Raises:
        ArgumentError: If an argument is invalid.

    Example:

    ```python
    model = sr.ESASRec(num_items=3706, max_length=200, num_blocks=2)
    model.compile(loss=sr.losses.SampledSoftmax(num_negatives=256))
    model.fit(x, y, epochs=7, callbacks=[sr.StackingCallback("stackC")])
    ids, scores = model.recommend(x, k=10)
    ```

    Reference:
        [eSASRec: Enhancing Transformer-based Recommendations in a Modular Fashion,
        RecSys 2025](https://arxiv.org/abs/2508.06450)
    """

    def __init__(
        self,
        num_items: int,
        max_length: int,
        embedding_dim: int = 64,
        num_blocks: int = 2,
        num_heads: int = 1,
        dropout: float = 0.1,
        expansion: int = 4,
        rezero: bool = False,
        **kwargs,
    ) -> None:
        check_integers(embedding_dim=embedding_dim)
        dim = int(embedding_dim)
        super().__init__(
            num_items,
            dim,
            max_length,
            num_blocks,
            num_heads,
            dropout,
            rezero,
            **kwargs,
        )
        self.embedding_dim = dim
        self.item_embedding = self.new_item_embedding(dim, RandomNormal(stddev=0.02))
        self.position_embedding = self._embedding(
            self.max_length, dim, "positions", (None,), GlorotNormal()
        )
        self.stack = LiGRStack(
            num_blocks,
            dim,
            self.num_heads,
            expansion,
            dropout=dropout,
            rezero=self.rezero,
            dtype=self.dtype_policy,
            name="stack",
        )
        self.stack.build((None, None, dim))
        self.build()

    @property
    def ignores_padding(self) -> bool:
        return True

    def embed(self, features: Features, training: bool | None) -> Tensor:
        return self.item_embedding(features["items"])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "embedding_dim": self.embedding_dim,
            "expansion": self.stack.expansion,
        }
