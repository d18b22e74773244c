"""Mean reciprocal rank."""

import keras

from stackrec_keras.metrics.ranking_metric import RankingMetric
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class MRR(RankingMetric):
    """Mean reciprocal rank at `k`.

    The gain of a row is `1 / rank`, or 0 if the target is not among the first `k`.

    Args:
        k: Integer, the length of the recommended list.
        name: String. Defaults to `None`, which gives `"mrr@{k}"`.
        dtype: String, the dtype of the sums. Defaults to `"float32"`.

    Call arguments: see `RankingMetric`.

    Raises:
        ArgumentError: If `k` is not an integer of at least 1.

    Example:

    ```python
    metric = sr.metrics.MRR(k=5)
    metric.update_state([2], [[0.0, 0.3, 0.2, 0.1]])
    metric.result()  # 0.5: the target is second
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598), which reports it
    """

    prefix = "mrr"

    def gain(self, rank: Tensor) -> Tensor:
        return 1.0 / rank
