"""Mean reciprocal rank."""

import keras

from stackrec_keras.metrics.ranking_metric import RankingMetric
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class MRR(RankingMetric):
    """Mean reciprocal rank, with 0 for a target below the first `k`.

    Args:
        k: The length of the recommended list.
        name: Defaults to `"mrr@{k}"`.
        dtype: Of the sums, by default float32.

    Call arguments: see `RankingMetric`.

    Example:

    ```python
    metric = sr.metrics.MRR(k=5)
    metric.update_state([2], [[0.0, 0.3, 0.2, 0.1]])
    metric.result()  # 0.5: the target is second
    ```
    """

    prefix = "mrr"

    def gain(self, rank: Tensor) -> Tensor:
        return 1.0 / rank
