"""Figures of training runs, of growth steps and of a model's blocks."""

from stackrec_keras.plot.block_similarity import block_similarity
from stackrec_keras.plot.gates import gates
from stackrec_keras.plot.growth_bound import growth_bound
from stackrec_keras.plot.growth_plan import growth_plan
from stackrec_keras.plot.history import history
from stackrec_keras.plot.quality_vs_time import quality_vs_time

__all__ = [
    "block_similarity",
    "gates",
    "growth_bound",
    "growth_plan",
    "history",
    "quality_vs_time",
]
