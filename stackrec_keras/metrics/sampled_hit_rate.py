"""Hit rate among a sample of items."""

import keras

from stackrec_keras.metrics.against_sample import AgainstSample
from stackrec_keras.metrics.hit_rate import HitRate


@keras.saving.register_keras_serializable(package="stackrec_keras")
class SampledHitRate(AgainstSample, HitRate):
    """Hit rate among a sample of items; not comparable with `HitRate`.

    The sample is drawn as for `SampledMRR`.

    Args:
        k: Integer, the length of the recommended list.
        num_negatives: Integer, the number of items to draw for each row. Defaults to
            `99`.
        seed: Integer from 0 to `2**31 - 1`. Defaults to `0`.
        name: String. Defaults to `None`, which gives `"sampled_hit_rate@{k}"`.
        dtype: String, the dtype of the sums. Defaults to `"float32"`.

    Call arguments: see `RankingMetric`.

    Raises:
        ArgumentError: If an argument is out of range, or if `num_negatives` is not less
            than the number of items in the catalogue.

    Example:

    ```python
    transfer.compile(metrics=["hit_rate@5", sr.metrics.SampledHitRate(5)])
    ```

    Reference:
        [On Sampled Metrics for Item Recommendation, KDD 2020](
        https://doi.org/10.1145/3394486.3403226)
    """

    prefix = "sampled_hit_rate"
