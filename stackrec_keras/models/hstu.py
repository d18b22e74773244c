from typing import Any

import keras
from keras.initializers import RandomNormal

from stackrec_keras.arguments import check_bools, check_integers
from stackrec_keras.layers import HSTUStack
from stackrec_keras.models.attention_recommender import AttentionRecommender
from stackrec_keras.models.inputs import Features
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class HSTU(AttentionRecommender):
    """Next-item recommender built from HSTU's blocks, which also read event times.

    With the time bias, the model is told when the next event happens: in training and
    in evaluation the time of the target, and in `recommend` the time of the request
    (`at`). Published figures of HSTU are measured in this way. With
    `time_bias=False` the model reads only the items.

    Item vectors are drawn from a normal distribution with a standard deviation of 0.02
    and are multiplied by `sqrt(embedding_dim)`; position vectors have a standard
    deviation of `1 / sqrt(embedding_dim)`. This is how the authors of HSTU initialize
    them, and both then have about the same size. The weights of a block are initialized
    in the authors' way, too (see `layers.HSTUStack`).

    Args:
        num_items: Integer; item ids are 1..num_items, 0 is padding (on the left).
        max_length: Integer, the maximum input length. Longer inputs are cut to their
            last items. Attention is divided by `max_length`, so shorter inputs have
            smaller sums.
        embedding_dim: Integer, the width of embeddings and hidden states. Defaults to
            `50`.
        num_blocks: Integer, number of blocks. Defaults to `2`.
        num_heads: Integer, number of attention heads. Defaults to `1`.
        dropout: Float, fraction of units to drop in training, from the embedded items
            and in each block. Defaults to `0.2`.
        time_bias: Boolean, whether attention has a bias that depends on time. The model
            then takes `"timestamps"` and `"next_timestamps"` beside the items. Defaults
            to `True`.
        position_bias: Boolean, whether attention has a bias that depends on relative
            position. Defaults to `True`.
        position_embedding: Boolean, whether to add a vector for each position to the
            items. Defaults to `True`.
        rezero: Boolean, whether each block has a gate that starts at 0. A new block is
            then exactly the identity. Defaults to `False`.
        qk_dim: Integer, width of a head's queries and keys. Defaults to
            `embedding_dim // num_heads`.
        v_dim: Integer, width of a head's values. Defaults to
            `embedding_dim // num_heads`.
        chunk_size: Integer, how many queries to process at a time, or `None` for all:
            see `layers.HSTUStack`. Defaults to `None`.
        **kwargs: `tied`, `normalize`, `temperature`, `item_features`, `feature_fusion`
            and `id_dropout` (see `SequentialRecommender`); `name`, `dtype` and the
            other arguments of a Keras model.

    Call arguments:
        inputs: Dict of integer tensors of shape `(batch, time)`: `"items"`;
            `"timestamps"`, the time of each event in seconds; and `"next_timestamps"`,
            the time of the event that follows it. Without the time bias, only the
            items.
        training: Boolean or `None`; there is dropout only in training.

    Returns:
        Hidden states, a tensor of shape `(batch, time, embedding_dim)`, 0 at padding.

    Raises:
        ArgumentError: If an argument is invalid.

    Example:

    ```python
    model = sr.HSTU(num_items=3706, max_length=200, num_blocks=2)
    model.compile()
    model.fit(
        split.train.batches(128, features=model.features),
        epochs=7,
        callbacks=[sr.StackingCallback("stackC")],
    )
    ```

    Reference:
        [Actions Speak Louder than Words: Trillion-Parameter Sequential Transducers for
        Generative Recommendations, ICML 2024](https://arxiv.org/abs/2402.17152)
    """

    def __init__(
        self,
        num_items: int,
        max_length: int,
        embedding_dim: int = 50,
        num_blocks: int = 2,
        num_heads: int = 1,
        dropout: float = 0.2,
        time_bias: bool = True,
        position_bias: bool = True,
        position_embedding: bool = True,
        rezero: bool = False,
        qk_dim: int | None = None,
        v_dim: int | None = None,
        chunk_size: int | None = None,
        **kwargs,
    ) -> None:
        check_integers(embedding_dim=embedding_dim)
        check_bools(position_embedding=position_embedding)
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
        self.position_embedding = None
        if position_embedding:
            initializer = RandomNormal(stddev=dim**-0.5)
            self.position_embedding = self._embedding(
                self.max_length, dim, "positions", (None,), initializer
            )
        self.stack = HSTUStack(
            num_blocks,
            dim,
            int(max_length),
            self.num_heads,
            qk_dim,
            v_dim,
            dropout,
            time_bias,
            position_bias,
            self.rezero,
            chunk_size,
            dtype=self.dtype_policy,
            name="stack",
        )
        self.stack.build((None, None, dim))
        if time_bias:
            self.whole_features = ("timestamps", "next_timestamps")
            self.features = ("items", *self.whole_features)
        self.build()

    @property
    def ignores_padding(self) -> bool:
        return True

    def embed(self, features: Features, training: bool | None) -> Tensor:
        return self.item_embedding(features["items"]) * self.embedding_dim**0.5

    def positions(self, features: Features) -> Tensor | float:
        return 0.0 if self.position_embedding is None else super().positions(features)

    def get_config(self) -> dict[str, Any]:
        of_stack = ("time_bias", "position_bias", "qk_dim", "v_dim", "chunk_size")
        return {
            **super().get_config(),
            "embedding_dim": self.embedding_dim,
            "position_embedding": self.position_embedding is not None,
            **{name: getattr(self.stack, name) for name in of_stack},
        }
