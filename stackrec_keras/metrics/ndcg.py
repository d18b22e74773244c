"""Normalised discounted cumulative gain."""

import keras
from keras import ops

from stackrec_keras.metrics.ranking_metric import RankingMetric
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class NDCG(RankingMetric):
    """Normalised discounted cumulative gain at `k`.

    With one relevant item per row, the gain is `1 / log2(rank + 1)`, or 0 if the target
    is below the first `k`.

    Args:
        k: Integer, the length of the recommended list.
        name: String. Defaults to `None`, which gives `"ndcg@{k}"`.
        dtype: String, the dtype of the sums. Defaults to `"float32"`.

    Call arguments: see `RankingMetric`.

    Raises:
        ArgumentError: If `k` is not an integer of at least 1.

    Example:

    ```python
    metric = sr.metrics.NDCG(k=5)
    metric.update_state([2], [[0.0, 0.3, 0.2, 0.1]])
    metric.result()  # 0.63: the target is second
    ```

    Reference:
        [Järvelin and Kekäläinen, TOIS 2002](https://doi.org/10.1145/582415.582418)
    """

    prefix = "ndcg"

    def gain(self, rank: Tensor) -> Tensor:
        return 1.0 / ops.log2(rank + 1.0)
