"""Hit rate."""

import keras
from keras import ops

from stackrec_keras.metrics.ranking_metric import RankingMetric
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class HitRate(RankingMetric):
    """Hit rate at `k`: the fraction of rows whose target is among the first `k`.

    With one relevant item per row, it is also the recall at `k`.

    Args:
        k: Integer, the length of the recommended list.
        name: String. Defaults to `None`, which gives `"hit_rate@{k}"`.
        dtype: String, the dtype of the sums. Defaults to `"float32"`.

    Call arguments: see `RankingMetric`.

    Raises:
        ArgumentError: If `k` is not an integer of at least 1.

    Example:

    ```python
    metric = sr.metrics.HitRate(k=5)
    metric.update_state([2], [[0.0, 0.3, 0.2, 0.1]])
    metric.result()  # 1.0: the target is second
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598), which reports it
    """

    prefix = "hit_rate"

    def gain(self, rank: Tensor) -> Tensor:
        return ops.ones_like(rank)
