from stackrec_keras.layers.bias_indices import NUM_TIME_BUCKETS, time_bias
from stackrec_keras.layers.block_stack import BlockStack, BlockWeight
from stackrec_keras.layers.dilated_residual_stack import DilatedResidualStack
from stackrec_keras.layers.dropout import dropout, seed_generator
from stackrec_keras.layers.embedding import Embedding, with_dense_gradient
from stackrec_keras.layers.hstu_stack import HSTUStack
from stackrec_keras.layers.item_embedding import ItemEmbedding
from stackrec_keras.layers.ligr_stack import LiGRStack
from stackrec_keras.layers.output_table import OutputTable
from stackrec_keras.layers.rezero_transformer_stack import ReZeroTransformerStack

__all__ = [
    "BlockStack",
    "BlockWeight",
    "DilatedResidualStack",
    "Embedding",
    "HSTUStack",
    "ItemEmbedding",
    "LiGRStack",
    "NUM_TIME_BUCKETS",
    "OutputTable",
    "ReZeroTransformerStack",
    "dropout",
    "seed_generator",
    "time_bias",
    "with_dense_gradient",
]
