"""The list of architectures that the command line, runs and tuning can build."""

from stackrec_keras.models.grec import GRec
from stackrec_keras.models.nextitnet import NextItNet
from stackrec_keras.models.sasrec import SASRec
from stackrec_keras.models.sequential_recommender import SequentialRecommender
from stackrec_keras.models.ssept import SSEPT

# To add an architecture, add its class here, and its name to `runs.config`, which the
# command line reads before it loads a backend. Options are passed to a class if they
# are arguments of its constructor.
MODELS: dict[str, type[SequentialRecommender]] = {
    kind.__name__.lower(): kind for kind in (NextItNet, GRec, SASRec, SSEPT)
}
