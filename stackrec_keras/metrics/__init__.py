"""Ranking metrics over an item catalogue."""

from typing import Any

import keras

from stackrec_keras.metrics.hit_rate import HitRate
from stackrec_keras.metrics.mrr import MRR
from stackrec_keras.metrics.ndcg import NDCG
from stackrec_keras.metrics.ranking_metric import RankingMetric
from stackrec_keras.metrics.sampled_metrics import SampledHitRate, SampledMRR
from stackrec_keras.metrics.target_rank import target_rank

__all__ = [
    "MRR",
    "NDCG",
    "HitRate",
    "RankingMetric",
    "SampledHitRate",
    "SampledMRR",
    "default_metrics",
    "get",
    "target_rank",
]

_DEFAULTS = (MRR, HitRate, NDCG)
_CLASSES = (*_DEFAULTS, SampledMRR, SampledHitRate)


def default_metrics() -> list[RankingMetric]:
    """New MRR, HitRate and NDCG at 5, then at 10."""
    return [metric(k) for k in (5, 10) for metric in _DEFAULTS]


def get(
    identifiers: RankingMetric | str | dict[str, Any] | list | tuple | None,
) -> list[RankingMetric]:
    """The ranking metrics that `identifiers` stand for.

    Args:
        identifiers: `"auto"` (`default_metrics()`), `None` (no metrics), or one
            or a list of: a `RankingMetric`, a name such as `"mrr@20"`,
            `"hit_rate@5"`, `"ndcg@10"`, `"sampled_mrr@5"` or
            `"sampled_hit_rate@5"`, a serialized metric.

    Returns:
        A list of `RankingMetric`.

    Raises:
        ValueError: For anything else, stock Keras metrics above all.
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
    raise ValueError(
        f"metric {_name(identifier)} cannot be used here: the model would hand "
        "it hidden states or the scores of all items, and it does not look at "
        "ranks. Use metrics='auto', or MRR(k), HitRate(k) or NDCG(k) of "
        "stackrec_keras.metrics, or their names, such as 'mrr@5', 'hit_rate@5' "
        "or 'ndcg@10'."
    )


def _from_name(name):
    prefix, _, k = name.partition("@")
    classes = {metric.prefix: metric for metric in _CLASSES}
    if prefix in classes and k.isdecimal():
        return classes[prefix](int(k))
    return None


def _name(identifier):
    if isinstance(identifier, str):
        return repr(identifier)
    return getattr(identifier, "__name__", type(identifier).__name__)
