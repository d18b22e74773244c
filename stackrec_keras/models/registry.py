"""The list of architectures that the command line, runs and tuning can build."""

import importlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """What is known about an architecture before a backend is loaded.

    Args:
        class_name: String, the name of its class in `stackrec_keras.models`.
        base_name: String, the name of its base class, which determines its options.
    """

    class_name: str
    base_name: str

    @property
    def convolutional(self):
        """Boolean, whether its blocks are convolutions."""
        return self.base_name == "ConvolutionalRecommender"


# To add an architecture, add a line here. Options are passed to a class if they are
# arguments of its constructor.
ARCHITECTURES = {
    "nextitnet": Architecture("NextItNet", "ConvolutionalRecommender"),
    "grec": Architecture("GRec", "ConvolutionalRecommender"),
    "sasrec": Architecture("SASRec", "TransformerRecommender"),
    "ssept": Architecture("SSEPT", "TransformerRecommender"),
    "hstu": Architecture("HSTU", "AttentionRecommender"),
    "esasrec": Architecture("ESASRec", "AttentionRecommender"),
}
CONVOLUTIONAL = tuple(n for n, kind in ARCHITECTURES.items() if kind.convolutional)
ATTENTION = tuple(n for n, kind in ARCHITECTURES.items() if not kind.convolutional)
TRANSFORMERS = tuple(
    name
    for name, kind in ARCHITECTURES.items()
    if kind.base_name == "TransformerRecommender"
)
# The architectures of StackRec's reference implementation. Its checkpoints can be read.
STACKREC = (*CONVOLUTIONAL, *TRANSFORMERS)


def model_class(name: str) -> type:
    """Returns the class of an architecture, a subclass of `SequentialRecommender`."""
    models = importlib.import_module("stackrec_keras.models")
    return getattr(models, ARCHITECTURES[name].class_name)
