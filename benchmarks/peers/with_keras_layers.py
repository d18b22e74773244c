"""SASRec as a list of Keras's own layers."""

import sys

import keras
import numpy as np
from keras import layers, ops
from keras_clock import KerasClock


class AddPositions(layers.Layer):
    def __init__(self, length, dim):
        super().__init__()
        self.positions = layers.Embedding(length, dim)
        self.length = length

    def call(self, x):
        return x + self.positions(ops.arange(self.length))


class Scores(layers.Layer):
    """Scores of all items, by the vectors of the input embedding."""

    def __init__(self, embedding):
        super().__init__()
        self.embedding = embedding

    def call(self, x):
        return ops.matmul(x, ops.transpose(self.embedding.embeddings))


def sasrec(num_items, length, dim=64, num_blocks=2, rate=0.2):
    inputs = layers.Input((length,), dtype="int32")
    items = layers.Embedding(num_items + 1, dim)
    x = layers.Dropout(rate)(AddPositions(length, dim)(items(inputs)))
    for _ in range(num_blocks):
        h = layers.LayerNormalization()(x)
        h = layers.MultiHeadAttention(1, dim, dropout=rate)(h, h, use_causal_mask=True)
        x = x + layers.Dropout(rate)(h)
        h = layers.Dense(dim, activation="relu")(layers.LayerNormalization()(x))
        h = layers.Dense(dim)(layers.Dropout(rate)(h))
        x = x + layers.Dropout(rate)(h)
    return keras.Model(inputs, Scores(items)(layers.LayerNormalization()(x)))


rows = np.load(sys.argv[1]).astype("int32")
model = sasrec(int(rows.max()), rows.shape[1] - 1)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(
    rows[:, :-1],
    rows[:, 1:],
    batch_size=128,
    epochs=10**6,
    verbose=0,
    callbacks=[KerasClock()],
)
