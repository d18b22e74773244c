"""The one list of architectures."""

from stackrec_keras.models.grec import GRec
from stackrec_keras.models.nextitnet import NextItNet
from stackrec_keras.models.sasrec import SASRec
from stackrec_keras.models.sequential_recommender import SequentialRecommender
from stackrec_keras.models.ssept import SSEPT

# Add a class here and `stackrec train --model` builds it from the options it takes.
MODELS: dict[str, type[SequentialRecommender]] = {
    kind.__name__.lower(): kind for kind in (NextItNet, GRec, SASRec, SSEPT)
}


def names_of(family: type[SequentialRecommender]) -> tuple[str, ...]:
    """Returns the names of the architectures that are subclasses of a class."""
    return tuple(name for name, kind in MODELS.items() if issubclass(kind, family))
