"""Searching for a growth schedule with KerasTuner."""

from stackrec_keras.tuning.grid_search import GridSearch
from stackrec_keras.tuning.hypermodel import StackingHyperModel
from stackrec_keras.tuning.search_space import SearchSpace
from stackrec_keras.tuning.trials import trials
from stackrec_keras.tuning.values import Choice, Range

__all__ = [
    "Choice",
    "GridSearch",
    "Range",
    "SearchSpace",
    "StackingHyperModel",
    "trials",
]
