"""Hit rate."""

import keras
from keras import ops

from stackrec_keras.metrics.ranking_metric import RankingMetric
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class HitRate(RankingMetric):
    """Share of rows whose target is among the first `k`.

    Args:
        k: The length of the recommended list.
        name: Defaults to `"hit_rate@{k}"`.
        dtype: Of the sums, by default float32.

    Call arguments: see `RankingMetric`.

    Example:

    ```python
    metric = sr.metrics.HitRate(k=5)
    metric.update_state([2], [[0.0, 0.3, 0.2, 0.1]])
    metric.result()  # 1.0: the target is second
    ```
    """

    prefix = "hit_rate"

    def gain(self, rank: Tensor) -> Tensor:
        return ops.ones_like(rank)
