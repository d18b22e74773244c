"""The list of all metrics."""

from typing import Any

import keras

from stackrec_keras.errors import ArgumentError
from stackrec_keras.metrics.hit_rate import HitRate
from stackrec_keras.metrics.mrr import MRR
from stackrec_keras.metrics.ndcg import NDCG
from stackrec_keras.metrics.ranking_metric import RankingMetric
from stackrec_keras.metrics.sampled_hit_rate import SampledHitRate
from stackrec_keras.metrics.sampled_mrr import SampledMRR

# To add a metric, write its class in a new file and add a line here.
METRICS: dict[str, type[RankingMetric]] = {
    kind.prefix: kind for kind in (MRR, HitRate, NDCG, SampledMRR, SampledHitRate)
}


def default_metrics() -> list[RankingMetric]:
    """Returns new metrics: MRR, HitRate and NDCG at 5, then at 10."""
    return [metric(k) for k in (5, 10) for metric in (MRR, HitRate, NDCG)]


def get(
    identifiers: RankingMetric | str | dict[str, Any] | list | tuple | None,
) -> list[RankingMetric]:
    """Returns the metrics that the identifiers stand for.

    Args:
        identifiers: `"auto"` for `default_metrics()`, `None` for no metrics, one
            identifier, or a list of identifiers. An identifier is a `RankingMetric`, a
            name (`"mrr@20"`, `"hit_rate@5"`, `"ndcg@10"`, `"sampled_mrr@5"`,
            `"sampled_hit_rate@5"`) or a serialized metric.

    Returns:
        A list of `RankingMetric`.

    Raises:
        ArgumentError: If an identifier is anything else, such as a Keras metric.

    Example:

    ```python
    metrics = sr.metrics.get(["mrr@5", sr.metrics.NDCG(20)])
    ```
    """
    if identifiers is None:
        return []
    if isinstance(identifiers, str) and identifiers == "auto":
        return default_metrics()
    if not isinstance(identifiers, (list, tuple)):
        identifiers = [identifiers]
    return [_get_one(identifier) for identifier in identifiers]


def _get_one(identifier):
    found = identifier
    if isinstance(identifier, dict):
        found = keras.saving.deserialize_keras_object(identifier)
    elif isinstance(identifier, str):
        found = _from_name(identifier)
    if isinstance(found, RankingMetric):
        return found
    names = ", ".join(repr(f"{name}@5") for name in METRICS)
    raise ArgumentError(
        "metrics",
        "is not a ranking metric, the only kind that these models compute",
        f"Give 'auto', a name with a length such as {names}, or an instance of a "
        "subclass of stackrec_keras.metrics.RankingMetric.",
        identifier,
    )


def _from_name(name):
    prefix, _, k = name.partition("@")
    if prefix in METRICS and k.isdecimal():
        return METRICS[prefix](int(k))
    return None
