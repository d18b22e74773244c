"""The base class of metrics that depend on the rank of the next item."""

from typing import Any

import keras
from keras import ops

from stackrec_keras.arguments import check_integers
from stackrec_keras.errors import ArgumentError
from stackrec_keras.metrics.target_rank import target_rank
from stackrec_keras.types import Tensor


class RankingMetric(keras.metrics.Metric):
    """Base class of metrics that average a gain, which depends on the target's rank.

    All items compete, ties count against the target, and a target whose score is NaN
    ranks last (see `target_rank`). Rows without a target (`y_true` is 0) are skipped. A
    subclass implements `gain` and sets `prefix`, the first part of its name. To use the
    name in `compile`, add the class to `stackrec_keras.metrics.METRICS`.

    Args:
        k: Integer, the length of the recommended list. A target that is not in it
            gains 0.
        name: String. Set it if your logger refuses `@`, as MLflow does. Defaults to
            `None`, which gives the class's `prefix` and `k`, as in `"mrr@5"`.
        dtype: String, the dtype in which gains are summed. It does not depend on the
            precision of the model. Defaults to `"float32"`.

    Call arguments:
        y_true: Integer tensor of shape `(batch,)`, the next item of each row.
        scores: Tensor of shape `(batch, num_items + 1)`.
        sample_weight: Tensor of shape `(batch,)`. Defaults to `None`.

    Returns:
        `result` returns the mean gain, a scalar from 0 to 1. It is 0 if no row has a
        target.

    Raises:
        ArgumentError: If `k` is not an integer of at least 1, or if an update gets an
            argument of the wrong shape.

    Example:

    ```python
    class Precision(RankingMetric):
        prefix = "precision"

        def gain(self, rank):
            return ops.ones_like(rank) / self.k
    ```
    """

    prefix = "gain"
    _direction = "up"  # from this, Keras infers mode="max"

    def __init__(self, k: int, name: str | None = None, dtype: str = "float32") -> None:
        check_integers(k=k)
        self.k = int(k)
        super().__init__(name=name or f"{self.prefix}@{self.k}", dtype=dtype)
        self.total = self.add_variable((), initializer="zeros", name="total")
        self.count = self.add_variable((), initializer="zeros", name="count")

    def gain(self, rank: Tensor) -> Tensor:
        """Returns the gain of a target whose rank is at most `k`.

        Args:
            rank: Float tensor of shape `(batch,)`, at least 1. The gains of ranks
                above `k` are not used.

        Returns:
            A tensor of the same shape.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `gain`.")

    def rank(self, y_true: Tensor, scores: Tensor) -> Tensor:
        """Returns the ranks of the targets among all items.

        Override this method to rank among a subset of the items.

        Args:
            y_true: Integer tensor of shape `(batch,)`.
            scores: Tensor of shape `(batch, num_items + 1)`.

        Returns:
            An int32 tensor of shape `(batch,)`, 0 where there is no target.
        """
        return target_rank(y_true, scores)

    def update_state(
        self, y_true: Tensor, scores: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        y_true = ops.convert_to_tensor(y_true)
        scores = ops.convert_to_tensor(scores)
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, self.dtype)
            _check_rank("sample_weight", sample_weight, ("batch,",))
        _check_rank("y_true", y_true, ("batch,",))
        _check_rank("scores", scores, ("batch", "num_items + 1"))
        rank = self.rank(y_true, scores)
        has_target = rank > 0
        weights = ops.cast(has_target, self.dtype)
        if sample_weight is not None:
            weights = ops.where(has_target, sample_weight, 0.0)
        gains = self.gain(ops.cast(ops.maximum(rank, 1), self.dtype))
        gains = ops.where(rank <= self.k, gains, 0.0)
        self.total.assign_add(ops.sum(weights * gains))
        self.count.assign_add(ops.sum(weights))

    def result(self) -> Tensor:
        return ops.divide_no_nan(self.total, self.count)

    def get_config(self) -> dict[str, Any]:
        return {"k": self.k, **super().get_config()}


def _check_rank(name, tensor, shape):
    if len(tensor.shape) != len(shape):
        raise ArgumentError(
            name,
            f"has shape {tuple(tensor.shape)}, but must have shape "
            f"({', '.join(shape)})",
            "A ranking metric takes one next item for each row.",
        )
