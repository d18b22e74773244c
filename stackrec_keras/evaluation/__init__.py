"""Evaluation on held-out rows, compared with the popularity baseline."""

from stackrec_keras.evaluation.popularity import popularity_results, training_counts
from stackrec_keras.evaluation.table import (
    final_results,
    model_title,
    seen_notes,
    table,
)

__all__ = [
    "final_results",
    "model_title",
    "popularity_results",
    "seen_notes",
    "table",
    "training_counts",
]
