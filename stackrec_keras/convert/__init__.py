"""Loading weights of StackRec's reference implementation and of RecTools."""

from stackrec_keras.convert.build import build_stackrec_model
from stackrec_keras.convert.files import read_checkpoint
from stackrec_keras.convert.load import load_stackrec_weights
from stackrec_keras.convert.rectools import load_rectools_weights

__all__ = [
    "build_stackrec_model",
    "load_rectools_weights",
    "load_stackrec_weights",
    "read_checkpoint",
]
