from typing import Any

import keras
from keras.initializers import RandomNormal

from stackrec_keras.arguments import check_integers
from stackrec_keras.models.inputs import Features
from stackrec_keras.models.transformer_recommender import TransformerRecommender
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class SASRec(TransformerRecommender):
    """Next-item recommender with causal self-attention, of any depth.

    Args:
        num_items: Integer; item ids are 1..num_items, 0 is padding (on the left).
        max_length: Integer, the maximum input length. Longer inputs are cut to their
            last items.
        embedding_dim: Integer, the width of embeddings and hidden states. Defaults to
            `64`.
        num_blocks: Integer, number of transformer blocks. Defaults to `2`.
        num_heads: Integer, number of attention heads, a divisor of `embedding_dim`.
            Defaults to `1`.
        dropout: Float, fraction of units to drop in training. Defaults to `0.0`.
        rezero: Boolean, whether each block has two gates that start at 0. Defaults to
            `True`.
        norm: String, where a block normalizes: `"post"`, after each residual sum (as in
            the reference implementation), or `"pre"`, before the attention and before
            the dense layers. With `"pre"`, a block whose gates are 0 is exactly the
            identity. Defaults to `"post"`.
        padding_mask: Boolean, whether to hide padding from every position. Defaults to
            `False`, as in the reference implementation.
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
    model = sr.SASRec(num_items=3706, max_length=50, num_blocks=4)
    model.compile()
    model.fit(x, y, epochs=7, callbacks=[sr.StackingCallback("stackA")])
    ids, scores = model.recommend(x, k=10)
    ```

    Reference:
        [Self-Attentive Sequential Recommendation, ICDM 2018](
        https://arxiv.org/abs/1808.09781)
    """

    def __init__(
        self,
        num_items: int,
        max_length: int,
        embedding_dim: int = 64,
        num_blocks: int = 2,
        num_heads: int = 1,
        dropout: float = 0.0,
        rezero: bool = True,
        norm: str = "post",
        padding_mask: bool = False,
        **kwargs,
    ) -> None:
        check_integers(embedding_dim=embedding_dim)
        super().__init__(
            num_items,
            int(embedding_dim),
            max_length,
            num_blocks,
            num_heads,
            dropout,
            rezero,
            norm,
            padding_mask,
            **kwargs,
        )
        self.embedding_dim = int(embedding_dim)
        self.item_embedding = self.new_item_embedding(
            self.embedding_dim, RandomNormal(stddev=0.01)
        )
        self.build()

    def embed(self, features: Features, training: bool | None) -> Tensor:
        return self.item_embedding(features["items"])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "embedding_dim": self.embedding_dim}
