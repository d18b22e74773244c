"""Losses over an item catalogue."""

from stackrec_keras.losses.binary_cross_entropy import BinaryCrossEntropy
from stackrec_keras.losses.catalogue_loss import CatalogueLoss
from stackrec_keras.losses.full_softmax import FullSoftmax
from stackrec_keras.losses.gbce import GBCE
from stackrec_keras.losses.registry import LOSSES, get
from stackrec_keras.losses.sampled_softmax import SampledSoftmax

__all__ = [
    "GBCE",
    "LOSSES",
    "BinaryCrossEntropy",
    "CatalogueLoss",
    "FullSoftmax",
    "SampledSoftmax",
    "get",
]
