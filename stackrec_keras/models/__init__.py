import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stackrec_keras.models.attention_recommender import AttentionRecommender
    from stackrec_keras.models.convolutional_recommender import ConvolutionalRecommender
    from stackrec_keras.models.esasrec import ESASRec
    from stackrec_keras.models.freeze_stack import FreezeStack
    from stackrec_keras.models.grec import GRec
    from stackrec_keras.models.hstu import HSTU
    from stackrec_keras.models.nextitnet import NextItNet
    from stackrec_keras.models.sasrec import SASRec
    from stackrec_keras.models.sequential_recommender import SequentialRecommender
    from stackrec_keras.models.ssept import SSEPT
    from stackrec_keras.models.towers import item_tower, user_tower
    from stackrec_keras.models.transfer_recommender import TransferRecommender
    from stackrec_keras.models.transformer_recommender import TransformerRecommender

__all__ = [
    "AttentionRecommender",
    "ConvolutionalRecommender",
    "ESASRec",
    "FreezeStack",
    "GRec",
    "HSTU",
    "NextItNet",
    "SASRec",
    "SSEPT",
    "SequentialRecommender",
    "TransferRecommender",
    "TransformerRecommender",
    "item_tower",
    "user_tower",
]

# Imported on first use, so that `models.registry` can be imported without Keras.
_MODULES = {
    "AttentionRecommender": "attention_recommender",
    "ConvolutionalRecommender": "convolutional_recommender",
    "ESASRec": "esasrec",
    "FreezeStack": "freeze_stack",
    "GRec": "grec",
    "HSTU": "hstu",
    "NextItNet": "nextitnet",
    "SASRec": "sasrec",
    "SSEPT": "ssept",
    "SequentialRecommender": "sequential_recommender",
    "TransferRecommender": "transfer_recommender",
    "TransformerRecommender": "transformer_recommender",
    "item_tower": "towers",
    "user_tower": "towers",
}


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__():
    return __all__


def import_all() -> None:
    """Imports all models. Keras can load only classes that have been imported."""
    for name in __all__:
        __getattr__(name)
