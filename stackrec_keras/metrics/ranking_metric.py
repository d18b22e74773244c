"""The common part of metrics that look at the rank of the next item."""

from typing import Any

import keras
from keras import ops

from stackrec_keras.arguments import check_integers
from stackrec_keras.metrics.target_rank import target_rank
from stackrec_keras.types import Tensor


class RankingMetric(keras.metrics.Metric):
    """Base class: the mean over rows of a gain that depends on the rank.

    All items compete, ties count against the target, and a target whose score
    is NaN ranks last (see `target_rank`). Rows without a target (`y_true` 0)
    are skipped. A subclass implements `gain`.

    Args:
        k: The length of the recommended list. A target ranked below it gains
            nothing.
        name: Defaults to the class's name and k, `"mrr@5"`. Give another one for a
            logger that refuses `@`, such as MLflow.
        dtype: Of the sums, by default float32, whatever the precision of the
            model.

    Call arguments:
        y_true: Integer tensor of shape `(batch,)`, the next item of each row.
        scores: Tensor of shape `(batch, num_items + 1)`.
        sample_weight: `None` or a tensor of shape `(batch,)`.

    Raises:
        ValueError: If `k` is no integer of at least 1.
    """

    prefix = "gain"
    _direction = "up"  # Keras' own; a callback of a stock model goes by it

    def __init__(self, k: int, name: str | None = None, dtype: str = "float32") -> None:
        check_integers(k=k)
        self.k = int(k)
        super().__init__(name=name or f"{self.prefix}@{self.k}", dtype=dtype)
        self.total = self.add_variable((), initializer="zeros", name="total")
        self.count = self.add_variable((), initializer="zeros", name="count")

    def gain(self, rank: Tensor) -> Tensor:
        """The gain of a target at a rank within the first k.

        Args:
            rank: Float tensor of shape `(batch,)`, at least 1.

        Returns:
            A tensor of the same shape.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `gain`.")

    def rank(self, y_true: Tensor, scores: Tensor) -> Tensor:
        """Ranks the targets, among all items. Override it to rank among others.

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
        _check_shapes(y_true, scores, sample_weight)
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


def _check_shapes(y_true, scores, sample_weight):
    weight_rank = 1 if sample_weight is None else len(sample_weight.shape)
    if (len(y_true.shape), len(scores.shape), weight_rank) == (1, 2, 1):
        return
    received = [f"y_true.shape={tuple(y_true.shape)}"]
    received.append(f"scores.shape={tuple(scores.shape)}")
    if sample_weight is not None:
        received.append(f"sample_weight.shape={tuple(sample_weight.shape)}")
    raise ValueError(
        "A ranking metric takes one next item a row: `y_true` (batch,), `scores` "
        "(batch, num_items + 1) and `sample_weight` None or (batch,). "
        f"Received: {', '.join(received)}"
    )
