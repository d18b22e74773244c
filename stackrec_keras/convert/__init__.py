"""Loading checkpoints of StackRec's reference implementation."""

from stackrec_keras.convert.build import build_stackrec_model
from stackrec_keras.convert.files import read_checkpoint
from stackrec_keras.convert.load import load_stackrec_weights

__all__ = ["build_stackrec_model", "load_stackrec_weights", "read_checkpoint"]
