"""The base class of metrics that rank each target among a sample of items."""

from typing import Any

from keras import ops

from stackrec_keras.arguments import check_integers, is_integer
from stackrec_keras.errors import ArgumentError
from stackrec_keras.metrics.ranking_metric import RankingMetric
from stackrec_keras.metrics.target_rank import target_rank
from stackrec_keras.types import Tensor


class AgainstSample(RankingMetric):
    """Base class of metrics that rank each target among items drawn for its row.

    Derive from it first, then from the metric: `SampledMRR(AgainstSample, MRR)`. The
    sample of a row depends only on the seed, the row's target, the number of items, and
    how many rows came before it since the last reset. It is therefore the same in each
    evaluation, on each backend and at any batch size.

    Args:
        k: Integer, the length of the recommended list.
        num_negatives: Integer, the number of items to draw for each row. Defaults to
            `99`.
        seed: Integer from 0 to `2**31 - 1`. Defaults to `0`.
        name: String. Defaults to `None`, which gives the class's `prefix` and `k`.
        dtype: String, the dtype of the sums. Defaults to `"float32"`.

    Call arguments: see `RankingMetric`.

    Raises:
        ArgumentError: If an argument is out of range, or if `num_negatives` is not less
            than the number of items in the catalogue.
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
        if not is_integer(seed) or not 0 <= seed < 2**31:
            reason = "must be an integer from 0 to 2**31 - 1"
            raise ArgumentError("seed", reason, received=seed)
        self.num_negatives = int(num_negatives)
        self.seed = int(seed)
        self.rows = self.add_variable(
            (), initializer="zeros", dtype="int32", name="rows"
        )

    def rank(self, y_true: Tensor, scores: Tensor) -> Tensor:
        y_true = ops.cast(y_true, "int32")
        drawn = self.draw(y_true, scores.shape[1] - 1)
        self.rows.assign_add(ops.shape(y_true)[0])
        # As if the catalogue had only the padding, the target and the drawn items.
        target = ops.expand_dims(y_true, axis=1)
        ids = ops.concatenate([ops.zeros_like(target), target, drawn], axis=1)
        scores = ops.take_along_axis(scores, ids, axis=1)
        return target_rank(ops.cast(y_true != 0, "int32"), scores)

    def draw(self, y_true: Tensor, num_items: int) -> Tensor:
        """Returns the ids to rank with each target, `(batch, num_negatives)`."""
        if self.num_negatives >= num_items:
            raise ArgumentError(
                "num_negatives",
                f"must be less than the number of items, {num_items:,}",
                f"Draw fewer for {self.name}, or rank among all items.",
                self.num_negatives,
            )
        rows = self.rows + ops.arange(ops.shape(y_true)[0], dtype="int32")
        of_seed = _hash(ops.convert_to_tensor(self.seed, dtype="int32"))
        of_rows = ops.expand_dims(_hash(of_seed + rows), axis=1)
        drawn = _hash(of_rows + ops.arange(self.num_negatives, dtype="int32"))
        others = 1 + drawn % (num_items - 1)
        # Skipping the target leaves all other items equally likely.
        is_beyond = others >= ops.expand_dims(y_true, axis=1)
        return ops.where(is_beyond, others + 1, others)

    def get_config(self) -> dict[str, Any]:
        return {
            "num_negatives": self.num_negatives,
            "seed": self.seed,
            **super().get_config(),
        }


def _hash(values):
    """Hashes int32 numbers to numbers from 0 to 2**31 - 1.

    All backends give the same hashes, but their random generators differ.
    """
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B - 2**32), (16, 1)):
        high = ops.bitwise_and(
            ops.bitwise_right_shift(values, shift), 2 ** (32 - shift) - 1
        )
        values = ops.bitwise_xor(values, high) * factor
    return ops.bitwise_and(values, 2**31 - 1)
