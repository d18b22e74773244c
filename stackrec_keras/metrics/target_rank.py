"""The rank of each row's target among all items."""

from keras import ops

from stackrec_keras.types import Tensor

LEFT_OUT = 2**31 - 1
"""The rank of a target that is not in the list at all."""


def target_rank(y_true: Tensor, scores: Tensor) -> Tensor:
    """Rank of each target when all items are sorted by score, best first.

    Ties count against the target: its rank is 1 + the number of other items
    scored above it or level with it. A target whose score is NaN ranks last.
    Other items with a NaN score, and class 0, the padding, do not compete. A target
    whose score is -inf was left out of the list: its rank is beyond any `k`.

    Args:
        y_true: Integer tensor of shape `(batch,)`, items 1..num_items. 0 says
            that the row has no target.
        scores: Tensor of shape `(batch, num_items + 1)`.

    Returns:
        An int32 tensor of shape `(batch,)`: 1 is best, num_items last,
        `LEFT_OUT` for a target that was left out, and 0 where there is no target.
    """
    y_true = ops.cast(y_true, "int32")
    scores = ops.convert_to_tensor(scores)
    target_scores = ops.take_along_axis(
        scores, ops.expand_dims(y_true, axis=-1), axis=-1
    )
    # The target is level with itself, which is the 1 in its rank.
    level = ops.cast(scores[:, 1:] >= target_scores, "int32")
    rank = ops.sum(level, axis=-1)
    target_scores = ops.squeeze(target_scores, axis=-1)
    rank = ops.where(ops.isnan(target_scores), scores.shape[-1] - 1, rank)
    rank = ops.where(target_scores == -float("inf"), LEFT_OUT, rank)
    return ops.where(y_true == 0, 0, rank)
