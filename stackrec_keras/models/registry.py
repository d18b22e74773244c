"""The one list of architectures."""

from stackrec_keras.models.grec import GRec
from stackrec_keras.models.nextitnet import NextItNet
from stackrec_keras.models.sasrec import SASRec
from stackrec_keras.models.sequential_recommender import SequentialRecommender
from stackrec_keras.models.ssept import SSEPT

# A class that is added here is built from those options that are its arguments; its
# name goes into `runs.config` too, which the command reads before it loads a backend.
MODELS: dict[str, type[SequentialRecommender]] = {
    kind.__name__.lower(): kind for kind in (NextItNet, GRec, SASRec, SSEPT)
}
