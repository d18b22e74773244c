"""Normalised discounted cumulative gain."""

import keras
from keras import ops

from stackrec_keras.metrics.ranking_metric import RankingMetric
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class NDCG(RankingMetric):
    """Normalised discounted cumulative gain at `k`.

    With one relevant item a row it is `1 / log2(rank + 1)`, or 0 below the
    first `k`.

    Args:
        k: The length of the recommended list.
        name: Defaults to `"ndcg@{k}"`.
        dtype: Of the sums, by default float32.

    Call arguments: see `RankingMetric`.

    Example:

    ```python
    metric = sr.metrics.NDCG(k=5)
    metric.update_state([2], [[0.0, 0.3, 0.2, 0.1]])
    metric.result()  # 0.63: the target is second
    ```
    """

    prefix = "ndcg"

    def gain(self, rank: Tensor) -> Tensor:
        return 1.0 / ops.log2(rank + 1.0)
