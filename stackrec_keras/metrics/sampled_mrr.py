"""MRR and hit rate among a sample of items."""

import keras

from stackrec_keras.metrics.against_sample import AgainstSample
from stackrec_keras.metrics.hit_rate import HitRate
from stackrec_keras.metrics.mrr import MRR


@keras.saving.register_keras_serializable(package="stackrec_keras")
class SampledMRR(AgainstSample, MRR):
    """Mean reciprocal rank among a sample: not comparable with `MRR`.

    The target competes with `num_negatives` items that are drawn uniformly for its
    row, with replacement, never the target nor the padding. Ranks come out far
    better than among all items, and two models may change places; it is there for
    comparison with results that were reported so. The sample of a row depends on
    `seed` and the row's place alone: it is the same in each evaluation, on each
    backend, at any batch size.

    Args:
        k: The length of the recommended list.
        num_negatives: How many items to draw; fewer than there are.
        seed: Integer from 0 up.
        name: Defaults to `"sampled_mrr@{k}"`.
        dtype: Of the sums, by default float32.

    Call arguments: see `RankingMetric`.

    Raises:
        ValueError: If an argument is out of range, and, when called, if there are
            no more items than `num_negatives`.

    Example:

    ```python
    transfer.compile(metrics=["mrr@5", sr.metrics.SampledMRR(5, num_negatives=99)])
    ```

    Reference:
        [On Sampled Metrics for Item Recommendation, KDD 2020](
        https://doi.org/10.1145/3394486.3403226)
    """

    prefix = "sampled_mrr"


@keras.saving.register_keras_serializable(package="stackrec_keras")
class SampledHitRate(AgainstSample, HitRate):
    """Share of rows whose target is among the first `k` of a sample: not comparable
    with `HitRate`.

    Args and sample are those of `SampledMRR`; `name` defaults to
    `"sampled_hit_rate@{k}"`.

    Example:

    ```python
    transfer.compile(metrics=["hit_rate@5", sr.metrics.SampledHitRate(5)])
    ```
    """

    prefix = "sampled_hit_rate"
