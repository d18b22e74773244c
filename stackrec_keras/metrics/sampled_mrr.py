"""Mean reciprocal rank among a sample of items."""

import keras

from stackrec_keras.metrics.against_sample import AgainstSample
from stackrec_keras.metrics.mrr import MRR


@keras.saving.register_keras_serializable(package="stackrec_keras")
class SampledMRR(AgainstSample, MRR):
    """Mean reciprocal rank among a sample of items; not comparable with `MRR`.

    The target competes with `num_negatives` items that are drawn for its row, uniformly
    and with replacement. They are never the target or the padding. Ranks are far better
    than among all items, and the order of two models may be reversed. Use this metric
    only to compare with published results computed in this way. The sample is the same
    in each evaluation, on each backend and at any batch size.

    Args:
        k: Integer, the length of the recommended list. A target that is not in it
            gains 0.
        num_negatives: Integer, the number of items to draw for each row. Defaults to
            `99`.
        seed: Integer from 0 to `2**31 - 1`. Defaults to `0`.
        name: String. Defaults to `None`, which gives `"sampled_mrr@{k}"`.
        dtype: String, the dtype of the sums. Defaults to `"float32"`.

    Call arguments: see `RankingMetric`.

    Raises:
        ArgumentError: If an argument is out of range, or if `num_negatives` is not less
            than the number of items in the catalogue.

    Example:

    ```python
    transfer.compile(metrics=["mrr@5", sr.metrics.SampledMRR(5, num_negatives=99)])
    ```

    Reference:
        [On Sampled Metrics for Item Recommendation, KDD 2020](
        https://doi.org/10.1145/3394486.3403226)
    """

    prefix = "sampled_mrr"
