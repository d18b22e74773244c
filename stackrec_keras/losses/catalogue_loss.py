"""The base class of all losses over an item catalogue."""

from typing import Any

import keras
from keras import ops

from stackrec_keras.arguments import check_bools
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers.embedding import known_ids
from stackrec_keras.losses.cross_entropy import cross_entropy
from stackrec_keras.types import Tensor


class CatalogueLoss:
    """Base class of losses that score hidden states against an item catalogue.

    A next-item recommender ends in hidden states and an output embedding with one row
    for each item. A loss that gets both can choose which items to score: all of them,
    all of them in chunks, or a sample. The model calls the loss from `compute_loss`.
    The loss is not a `keras.losses.Loss`.

    A subclass implements `training_losses` and, if it has arguments of its own,
    `get_config`. To give it a name, add it to `stackrec_keras.losses.LOSSES`. Outside
    training every loss is the exact softmax cross-entropy over the catalogue, so that
    the validation losses of models trained with different losses can be compared.

    Args:
        include_padding: Boolean, whether class 0, the padding, is in the denominator
            and among the negatives, as in StackRec's reference implementation. Padding
            is never a target. Defaults to `False`.

    Call arguments:
        y_true: Integer tensor of shape `(batch, time)`, the next item at each
            position, 0 where there is no target; or of shape `(batch,)`, one next
            item for each row.
        hidden: Tensor of shape `(batch, time, dim)` or `(batch, dim)`.
        table: Tensor of shape `(num_items + 1, dim)`, the output embedding. Row 0 is
            the padding.
        bias: Tensor of shape `(num_items + 1,)`.
        sample_weight: Tensor of shape `(batch,)` or `(batch, time)`. Defaults to
            `None`.
        training: Boolean, whether to compute the training form of the loss. Defaults
            to `True`.
        seed: A `keras.random.SeedGenerator`, for losses that draw negatives. The model
            owns it and saves its state. Defaults to `None`.

    Returns:
        A float32 scalar, the mean over the positions that have a target, weighted by
        `sample_weight`. It is 0 if no position has a target.

    Raises:
        ArgumentError: If an argument is out of range or has the wrong shape.

    Example:

    ```python
    class SquaredError(CatalogueLoss):
        def training_losses(self, targets, hidden, table, bias, seed):
            rows = ops.take(table, targets, axis=0)
            return ops.sum(ops.square(hidden - rows), axis=-1)
    ```
    """

    def __init__(self, include_padding: bool = False) -> None:
        check_bools(include_padding=include_padding)
        self.include_padding = bool(include_padding)

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
        # Without a target, a hidden state may be anything, even NaN. Zeros in its place
        # keep NaN out of the gradients.
        has_target = ops.expand_dims(targets != 0, axis=-1)
        hidden = ops.where(has_target, hidden, ops.zeros_like(hidden))
        if training:
            loss = self._training_sum(targets, hidden, table, bias, weights, seed)
        else:
            losses = self.exact_losses(targets, hidden, table, bias)
            loss = ops.sum(losses * weights)
        total = ops.sum(weights)
        return loss / ops.where(total == 0, 1.0, total)

    def total_weight(self, y_true: Tensor, sample_weight: Tensor | None) -> Tensor:
        """Returns the weight of a batch's loss in an average over several batches.

        Args:
            y_true: As in the call.
            sample_weight: As in the call.

        Returns:
            A float32 scalar, the sum of the weights of all positions that have a
            target.
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
        """Returns the loss of each position in training.

        Args:
            targets: int32 tensor of shape `(batch, time)`. Where the target is 0, the
                loss is ignored but must be finite.
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

    def _training_sum(self, targets, hidden, table, bias, weights, seed):
        """Returns the weighted sum of `training_losses`."""
        losses = self.training_losses(targets, hidden, table, bias, seed)
        return ops.sum(losses * weights)

    def exact_losses(
        self,
        targets: Tensor,
        hidden: Tensor,
        table: Tensor,
        bias: Tensor,
        chunk_size: int | None = None,
    ) -> Tensor:
        """Returns the softmax cross-entropy of each position over all classes.

        Args:
            targets: As in `training_losses`.
            hidden: As in `training_losses`.
            table: As in `training_losses`.
            bias: As in `training_losses`.
            chunk_size: Integer, how many classes to score at a time. Defaults to
                `None`, all of them.

        Returns:
            A float32 tensor of shape `(batch, time)`.
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
    """Returns targets `(batch, time)` and hidden states `(batch, time, dim)`."""
    ranks = len(targets.shape), len(hidden.shape)
    if ranks not in ((1, 2), (2, 3)):
        raise ArgumentError(
            "y_true",
            f"of shape {tuple(targets.shape)} does not fit hidden states of shape "
            f"{tuple(hidden.shape)}",
            "Give (batch, time) with (batch, time, dim), or (batch,) with "
            "(batch, dim).",
        )
    if ranks == (1, 2):
        targets = ops.expand_dims(targets, axis=1)
        hidden = ops.expand_dims(hidden, axis=1)
    return targets, hidden


def _position_weights(sample_weight, targets, rank):
    """Returns float32 weights `(batch, time)`, 0 where there is no target."""
    if sample_weight is None:
        return ops.cast(targets != 0, "float32")
    weights = ops.cast(sample_weight, "float32")
    if not 1 <= len(weights.shape) <= rank:
        raise ArgumentError(
            "sample_weight",
            f"of shape {tuple(weights.shape)} does not fit y_true of rank {rank}",
            "Give (batch,), or (batch, time) if y_true has this shape.",
        )
    if len(weights.shape) == 1:
        weights = ops.expand_dims(weights, axis=1)
    return ops.where(targets != 0, weights, 0.0)
