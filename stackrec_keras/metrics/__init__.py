"""Ranking metrics over an item catalogue."""

from stackrec_keras.metrics.hit_rate import HitRate
from stackrec_keras.metrics.mrr import MRR
from stackrec_keras.metrics.ndcg import NDCG
from stackrec_keras.metrics.ranking_metric import RankingMetric
from stackrec_keras.metrics.registry import METRICS, default_metrics, get
from stackrec_keras.metrics.sampled_hit_rate import SampledHitRate
from stackrec_keras.metrics.sampled_mrr import SampledMRR
from stackrec_keras.metrics.target_rank import target_rank

__all__ = [
    "METRICS",
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
