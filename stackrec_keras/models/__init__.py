from stackrec_keras.models.convolutional_recommender import ConvolutionalRecommender
from stackrec_keras.models.freeze_stack import FreezeStack
from stackrec_keras.models.grec import GRec
from stackrec_keras.models.nextitnet import NextItNet
from stackrec_keras.models.sasrec import SASRec
from stackrec_keras.models.sequential_recommender import SequentialRecommender
from stackrec_keras.models.ssept import SSEPT
from stackrec_keras.models.transfer_recommender import TransferRecommender
from stackrec_keras.models.transformer_recommender import TransformerRecommender

__all__ = [
    "ConvolutionalRecommender",
    "FreezeStack",
    "GRec",
    "NextItNet",
    "SASRec",
    "SSEPT",
    "SequentialRecommender",
    "TransferRecommender",
    "TransformerRecommender",
]
