from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from stackrec_keras.arguments import check_bools, is_number
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers.random_numbers import random_uniform
from stackrec_keras.models.convolutional_recommender import ConvolutionalRecommender
from stackrec_keras.models.inputs import Data, Features, as_features
from stackrec_keras.models.training_loop import draw_before_step
from stackrec_keras.types import Tensor

MOST_GAPS = 50


@keras.saving.register_keras_serializable(package="stackrec_keras")
class GRec(ConvolutionalRecommender):
    """NextItNet trained to fill gaps: a causal model with holes in its context.

    Each training step draws some positions `t` of each row. It blanks the item at
    `t + 1` in the input. The hidden state at `t`, which sees only items up to `t`,
    predicts the blanked item. Nothing is blanked outside `fit`.

    With `encoder=True`, a second stack of the same depth, the encoder, sees both sides
    of the gaps. Two dense layers project the encoder's output. The result is added to
    the embeddings that enter the decoder, the causal stack. A hidden state then depends
    on later items too. The model recommends from a row's last state, which has no later
    items.

    Args:
        num_items: Integer; item ids are 1..num_items, 0 is padding (on the left).
        mask_rate: Float, fraction of a row's items to predict in a step. Padding is not
            counted. At least 1 and at most 50 items are predicted per row. Defaults
            to `0.2`.
        embedding_dim: Integer, the width of embeddings and hidden states. Defaults to
            `64`.
        num_blocks: Integer, number of residual blocks, each with two convolutions. The
            reference implementation's `dilation_count` is half of this number. Defaults
            to `8`.
        kernel_size: Integer, the kernel size of each convolution. Defaults to `3`.
        dilations: Sequence of integers. Block `i` takes `dilations[i % len]` in its
            first convolution and twice that in its second. Defaults to `(1, 4)`.
        rezero: Boolean, whether each block has a gate that starts at 0. Defaults to
            `True`.
        encoder: Boolean, whether an encoder sees both sides of the gaps. Defaults to
            `False`.
        **kwargs: `tied`, `normalize`, `temperature`, `item_features`, `feature_fusion`
            and `id_dropout` (see `SequentialRecommender`); `name`, `dtype` and the
            other arguments of a Keras model.

    Call arguments:
        inputs: Integer tensor of shape `(batch, time)`.
        training: Unused; only `fit` blanks items.

    Returns:
        Hidden states, a tensor of shape `(batch, time, embedding_dim)`.

    Raises:
        ArgumentError: If an argument is invalid.

    Example:

    ```python
    model = sr.GRec(num_items=3706, num_blocks=4)
    model.compile()
    model.fit(x, y, epochs=7, callbacks=[sr.StackingCallback("stackC")])
    ids, scores = model.recommend(x, k=10)
    ```

    Reference:
        [Future Data Helps Training: Modeling Future Contexts for Session-based
        Recommendation, WWW 2020](https://arxiv.org/abs/1906.04473), in the causal
        form of [StackRec](https://arxiv.org/abs/2012.07598)'s reference implementation
    """

    inner_projection: keras.layers.Layer
    outer_projection: keras.layers.Layer

    def __init__(
        self,
        num_items: int,
        mask_rate: float = 0.2,
        embedding_dim: int = 64,
        num_blocks: int = 8,
        kernel_size: int = 3,
        dilations: Sequence[int] = (1, 4),
        rezero: bool = True,
        encoder: bool = False,
        **kwargs,
    ) -> None:
        if not is_number(mask_rate) or not 0 < mask_rate <= 1:
            reason = "must be a number above 0 and at most 1"
            raise ArgumentError("mask_rate", reason, received=mask_rate)
        check_bools(encoder=encoder)
        super().__init__(
            num_items,
            embedding_dim,
            num_blocks,
            kernel_size,
            dilations,
            rezero,
            **kwargs,
        )
        self.mask_rate: float = float(mask_rate)
        stack = self._new_stack("encoder", causal=False) if encoder else None
        self.encoder: keras.layers.Layer | None = stack
        if encoder:
            self.inner_projection = self._projection("relu", "inner_projection")
            self.outer_projection = self._projection(None, "outer_projection")
        self.build()

    def hidden_states(self, features: Features, training: bool | None) -> Tensor:
        context = dict(features)
        gaps = context.pop("gaps", None)
        items = features["items"]
        if gaps is not None:
            context["items"] = _with_holes(items, gaps)
        x = self.item_embedding(context["items"])
        if self.encoder is not None:
            encoded = self.encoder(x, training=training, context=context)
            encoded = self.outer_projection(self.inner_projection(encoded))
            # The decoder needs no holes: it is causal and never sees its targets.
            context["items"] = items
            x = self.item_embedding(items) + encoded
        return self.stack(x, training=training, context=context)

    def _projection(self, activation, name):
        dense = keras.layers.Dense(
            self.embedding_dim, activation, dtype=self.dtype_policy, name=name
        )
        dense.build((None, self.embedding_dim))
        return dense

    def train_step(self, *args: Any) -> dict[str, Tensor]:
        *state, data = args
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        features = as_features(x)
        items = ops.convert_to_tensor(features["items"])
        gaps, state = draw_before_step(self, state, lambda: self._draw_gaps(items))
        x = {**features, "items": items, "gaps": gaps}
        return super().train_step(*state, (x, y, sample_weight))

    def training_targets(
        self, x: Data, y: Tensor, hidden: Tensor, sample_weight: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        if len(y.shape) == 1:
            raise ArgumentError(
                "y",
                "must have the shape (batch, time) to train GRec, but has "
                f"{tuple(y.shape)}",
                "Give the next item at each position, as windows.arrays() does.",
            )
        gaps = as_features(x).get("gaps")
        if gaps is None:
            return super().training_targets(x, y, hidden, sample_weight)
        hidden = ops.take_along_axis(hidden, _indices(gaps)[:, :, None], axis=1)
        targets = ops.take_along_axis(y, ops.cast(_indices(gaps), "int32"), axis=1)
        if sample_weight is not None and len(sample_weight.shape) == 2:
            sample_weight = ops.take_along_axis(sample_weight, _indices(gaps), axis=1)
        targets = ops.where(gaps < 0, ops.zeros_like(targets), targets)
        return super().training_targets(x, targets, hidden, sample_weight)

    def _draw_gaps(self, items):
        """Returns positions `(batch, gaps)` whose next item is blanked, -1 where a row
        has fewer gaps."""
        time = ops.shape(items)[1]
        # Padding is on the left, so an item is followed by an item or by the target
        # after the row. The last position always counts, so that each row has a gap.
        last = ops.arange(time, dtype="int32") == time - 1
        has_next = ops.logical_or(items != 0, last)
        chance = random_uniform(ops.shape(items), self.seed_generator)
        order = ops.argsort(ops.where(has_next, chance, 2.0), axis=1)
        candidates = ops.sum(ops.cast(has_next, "float32"), axis=1, keepdims=True)
        number = ops.clip(ops.floor(self.mask_rate * candidates), 1, MOST_GAPS)
        if isinstance(time, int):
            time = max(1, min(int(self.mask_rate * time), MOST_GAPS))
        order = ops.cast(order[:, :time], "int32")
        rank = ops.cast(ops.arange(ops.shape(order)[1], dtype="int32"), "float32")
        return ops.where(rank < number, order, -1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "mask_rate": self.mask_rate,
            "encoder": self.encoder is not None,
        }


def _indices(gaps):
    return ops.maximum(gaps, 0)


def _with_holes(items, gaps):
    """Returns items with 0 after the position of each gap."""
    position = ops.arange(ops.shape(items)[1], dtype="int32")
    is_hole = ops.any(ops.where(gaps < 0, -2, gaps)[:, :, None] + 1 == position, axis=1)
    return ops.where(is_hole, ops.zeros_like(items), items)
