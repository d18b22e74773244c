"""The rank of each row's target among all items."""

from keras import ops

from stackrec_keras.types import Tensor

LEFT_OUT = 2**31 - 1
"""The rank of a target that was left out of the list."""


def target_rank(y_true: Tensor, scores: Tensor) -> Tensor:
    """Returns the rank of each target among all items, sorted by score, best first.

    Ties count against the target: its rank is 1 plus the number of other items that
    score at least as high. A target whose score is NaN ranks last. Other items whose
    score is NaN do not compete, and neither does class 0, the padding. A target whose
    score is -inf was left out of the list, so its rank is beyond any `k`.

    Args:
        y_true: Integer tensor of shape `(batch,)`: items 1 to num_items, or 0 in a row
            without a target.
        scores: Tensor of shape `(batch, num_items + 1)`.

    Returns:
        An int32 tensor of shape `(batch,)`: 1 is best, num_items is last, 2**31 - 1
        stands for a target that was left out, and 0 for no target.

    Example:

    ```python
    sr.metrics.target_rank([2], [[0.0, 0.3, 0.2, 0.1]])  # [2]
    ```
    """
    y_true = ops.cast(y_true, "int32")
    scores = ops.convert_to_tensor(scores)
    target_scores = ops.take_along_axis(
        scores, ops.expand_dims(y_true, axis=-1), axis=-1
    )
    # The target ties with itself, which is the 1 in its rank.
    competes = ops.cast(scores[:, 1:] >= target_scores, "int32")
    rank = ops.sum(competes, axis=-1)
    target_scores = ops.squeeze(target_scores, axis=-1)
    rank = ops.where(ops.isnan(target_scores), scores.shape[-1] - 1, rank)
    rank = ops.where(target_scores == -float("inf"), LEFT_OUT, rank)
    return ops.where(y_true == 0, 0, rank)
