"""The target's rank among a few items that are drawn for its row."""

from typing import Any

from keras import ops

from stackrec_keras.arguments import check_integers, is_integer
from stackrec_keras.metrics.ranking_metric import RankingMetric
from stackrec_keras.metrics.target_rank import target_rank
from stackrec_keras.types import Tensor


class AgainstSample(RankingMetric):
    """Ranks the target among items drawn for its row, for a metric beside it.

    The sample of a row is a pure function of the seed and of how many rows came
    before it since the last reset: the same in each evaluation, on each backend, at
    any batch size.
    """

    def __init__(
        self,
        k: int,
        num_negatives: int = 99,
        seed: int = 0,
        name: str | None = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__(k, name=name, dtype=dtype)
        check_integers(num_negatives=num_negatives)
        self.num_negatives = int(num_negatives)
        self.seed = _check_seed(seed)
        self.rows = self.add_variable(
            (), initializer="zeros", dtype="int32", name="rows"
        )

    def rank(self, y_true: Tensor, scores: Tensor) -> Tensor:
        y_true = ops.cast(y_true, "int32")
        drawn = self.draw(y_true, scores.shape[1] - 1)
        self.rows.assign_add(ops.shape(y_true)[0])
        # A catalogue of the padding, the target and what was drawn.
        target = ops.expand_dims(y_true, axis=1)
        ids = ops.concatenate([ops.zeros_like(target), target, drawn], axis=1)
        scores = ops.take_along_axis(scores, ids, axis=1)
        return target_rank(ops.cast(y_true != 0, "int32"), scores)

    def draw(self, y_true: Tensor, num_items: int) -> Tensor:
        """Returns the ids to rank with each target, `(batch, num_negatives)`."""
        if self.num_negatives >= num_items:
            raise ValueError(
                f"{self.name} draws num_negatives={self.num_negatives} items beside "
                f"the target, and there are {num_items} in all. Draw fewer, or rank "
                "all items."
            )
        rows = self.rows + ops.arange(ops.shape(y_true)[0], dtype="int32")
        of_seed = _mixed(ops.convert_to_tensor(self.seed, dtype="int32"))
        of_rows = ops.expand_dims(_mixed(of_seed + rows), axis=1)
        drawn = _mixed(of_rows + ops.arange(self.num_negatives, dtype="int32"))
        others = 1 + drawn % (num_items - 1)
        # One step over the target leaves the other items equally likely.
        is_beyond = others >= ops.expand_dims(y_true, axis=1)
        return ops.where(is_beyond, others + 1, others)

    def get_config(self) -> dict[str, Any]:
        return {
            "num_negatives": self.num_negatives,
            "seed": self.seed,
            **super().get_config(),
        }


def _mixed(values):
    """Scatters int32 numbers over 0..2**31 - 1, as a hash does: a product that
    overflows is the same on all backends, what they draw is not."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B - 2**32), (16, 1)):
        high = ops.bitwise_and(
            ops.bitwise_right_shift(values, shift), 2 ** (32 - shift) - 1
        )
        values = ops.bitwise_xor(values, high) * factor
    return ops.bitwise_and(values, 2**31 - 1)


def _check_seed(seed):
    if is_integer(seed) and 0 <= seed < 2**31:
        return int(seed)
    raise ValueError(
        f"`seed` must be an integer from 0 to 2**31 - 1. Received: seed={seed!r}"
    )
