from stackrec_keras.models.nextitnet import NextItNet
from stackrec_keras.models.sequential_recommender import SequentialRecommender

__all__ = ["NextItNet", "SequentialRecommender"]
