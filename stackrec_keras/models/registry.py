"""The list of architectures that the command line, runs and tuning can build."""

import importlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """What can be told of an architecture before a backend is loaded.

    Args:
        class_name: String, its class in `stackrec_keras.models`.
        convolutional: Boolean, whether it is a `ConvolutionalRecommender`, whose
            options differ from those of a `TransformerRecommender`.
    """

    class_name: str
    convolutional: bool = False


# One more architecture is one more line. Options are passed to a class if they are
# arguments of its constructor.
ARCHITECTURES = {
    "nextitnet": Architecture("NextItNet", convolutional=True),
    "grec": Architecture("GRec", convolutional=True),
    "sasrec": Architecture("SASRec"),
    "ssept": Architecture("SSEPT"),
}
CONVOLUTIONAL = tuple(n for n, kind in ARCHITECTURES.items() if kind.convolutional)
TRANSFORMERS = tuple(n for n, kind in ARCHITECTURES.items() if not kind.convolutional)


def model_class(name: str) -> type:
    """Returns the class of an architecture, a subclass of `SequentialRecommender`."""
    models = importlib.import_module("stackrec_keras.models")
    return getattr(models, ARCHITECTURES[name].class_name)
