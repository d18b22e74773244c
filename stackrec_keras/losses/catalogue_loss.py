"""The common part of all losses over an item catalogue."""

from typing import Any

import keras
from keras import ops

from stackrec_keras.layers.embedding import known_ids
from stackrec_keras.losses.cross_entropy import cross_entropy
from stackrec_keras.types import Tensor


class CatalogueLoss:
    """Base class of losses that score hidden states against an item catalogue.

    A next-item recommender ends in hidden states and an output table with one
    row an item. A loss that is given both can choose which items to score: all
    of them, all of them in chunks, or a sample. The model calls it from
    `compute_loss`; it is no `keras.losses.Loss`.

    A subclass implements `training_losses` and, if it has arguments of its
    own, `get_config`. Outside training every loss is the exact softmax
    cross-entropy over the catalogue, so that validation losses of models
    trained with different losses can be compared.

    Args:
        include_padding: Whether class 0, the padding, is one of the classes:
            in the denominator and among the negatives. The StackRec release
            keeps it; it is never a target in either case.

    Call arguments:
        y_true: Integer tensor, the next item at each position `(batch, time)`,
            0 where there is none; or one next item a row, `(batch,)`.
        hidden: Tensor of shape `(batch, time, dim)` or `(batch, dim)`.
        table: Tensor of shape `(num_items + 1, dim)`. Row 0 is the padding.
        bias: Tensor of shape `(num_items + 1,)`.
        sample_weight: `None` or a tensor of shape `(batch,)` or
            `(batch, time)`.
        training: Whether to use the training form of the loss.
        seed: A `keras.random.SeedGenerator`, for losses that draw. It belongs
            to the model, so that its state is saved with the model.

    Returns:
        A float32 scalar: the mean over the positions that have a target,
        weighted by `sample_weight` (divided by the sum of the weights), or 0
        if no position has one.
    """

    def __init__(self, include_padding: bool = False) -> None:
        if not isinstance(include_padding, bool):
            raise ValueError(
                "`include_padding` must be True or False. "
                f"Received: include_padding={include_padding!r}"
            )
        self.include_padding = include_padding

    def __call__(
        self,
        y_true: Tensor,
        hidden: Tensor,
        table: Tensor,
        bias: Tensor,
        sample_weight: Tensor | None = None,
        training: bool = True,
        seed: keras.random.SeedGenerator | None = None,
    ) -> Tensor:
        table = ops.convert_to_tensor(table)
        y_true = known_ids(ops.cast(y_true, "int32"), table.shape[0])
        targets, hidden = _as_positions(y_true, ops.convert_to_tensor(hidden))
        bias = ops.convert_to_tensor(bias)
        weights = _position_weights(sample_weight, targets, len(y_true.shape))
        # A hidden state without a target may be anything, NaN included; zero
        # in its place keeps it out of the gradients.
        has_target = ops.expand_dims(targets != 0, axis=-1)
        hidden = ops.where(has_target, hidden, ops.zeros_like(hidden))
        if training:
            losses = self.training_losses(targets, hidden, table, bias, seed)
        else:
            losses = self.exact_losses(targets, hidden, table, bias)
        total = ops.sum(weights)
        return ops.sum(losses * weights) / ops.where(total == 0, 1.0, total)

    def total_weight(self, y_true: Tensor, sample_weight: Tensor | None) -> Tensor:
        """The weight that a batch's mean has in the mean over several batches.

        Args:
            y_true: As in the call.
            sample_weight: As in the call.

        Returns:
            A float32 scalar, the sum of the weights of all positions with a target.
        """
        rank = len(y_true.shape)
        targets = y_true if rank == 2 else ops.expand_dims(y_true, axis=1)
        return ops.sum(_position_weights(sample_weight, targets, rank))

    def training_losses(
        self,
        targets: Tensor,
        hidden: Tensor,
        table: Tensor,
        bias: Tensor,
        seed: keras.random.SeedGenerator | None,
    ) -> Tensor:
        """The loss of each position while training.

        Args:
            targets: int32 tensor of shape `(batch, time)`; the loss where it
                is 0 must be finite and is not used.
            hidden: Tensor of shape `(batch, time, dim)`.
            table: Tensor of shape `(num_items + 1, dim)`.
            bias: Tensor of shape `(num_items + 1,)`.
            seed: `None` or a `keras.random.SeedGenerator`.

        Returns:
            A float32 tensor of shape `(batch, time)`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must implement `training_losses`."
        )

    def exact_losses(
        self,
        targets: Tensor,
        hidden: Tensor,
        table: Tensor,
        bias: Tensor,
        chunk_size: int | None = None,
    ) -> Tensor:
        """The softmax cross-entropy of each position over all classes.

        Args and result are those of `training_losses`; `chunk_size` is how
        many classes to score at a time.
        """
        losses = cross_entropy(
            ops.reshape(targets, (-1,)),
            ops.reshape(hidden, (-1, hidden.shape[-1])),
            table,
            bias,
            include_padding=self.include_padding,
            chunk_size=chunk_size,
        )
        return ops.reshape(losses, ops.shape(targets))

    def get_config(self) -> dict[str, Any]:
        return {"include_padding": self.include_padding}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "CatalogueLoss":
        return cls(**config)


def _as_positions(targets, hidden):
    """Targets `(batch, time)` and hidden states `(batch, time, dim)`."""
    ranks = len(targets.shape), len(hidden.shape)
    if ranks not in ((1, 2), (2, 3)):
        raise ValueError(
            "`y_true` must be (batch, time) with `hidden` (batch, time, dim), or "
            "(batch,) with (batch, dim). Received: "
            f"y_true.shape={tuple(targets.shape)}, "
            f"hidden.shape={tuple(hidden.shape)}"
        )
    if ranks == (1, 2):
        targets = ops.expand_dims(targets, axis=1)
        hidden = ops.expand_dims(hidden, axis=1)
    return targets, hidden


def _position_weights(sample_weight, targets, rank):
    """Weights `(batch, time)` in float32, 0 where there is no target."""
    if sample_weight is None:
        return ops.cast(targets != 0, "float32")
    weights = ops.cast(sample_weight, "float32")
    if not 1 <= len(weights.shape) <= rank:
        raise ValueError(
            "`sample_weight` must be (batch,), or (batch, time) where `y_true` "
            f"is. Received: sample_weight.shape={tuple(weights.shape)} for "
            f"`y_true` of rank {rank}"
        )
    if len(weights.shape) == 1:
        weights = ops.expand_dims(weights, axis=1)
    return ops.where(targets != 0, weights, 0.0)
