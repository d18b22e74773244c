"""What growing costs: steps of a grown model, and the first step after growing.

    KERAS_BACKEND=tensorflow python benchmarks/growth_speed.py

Two tables. In the first, steps alternate between a model grown to 16 blocks and one
built with 16 blocks. The ratio of their medians shows whether growing makes later steps
slower. The second times the first step (trace and compile) of a model of 32 blocks:
once with depth as an axis of its variables, and once with separate Keras layers.
"""

import argparse
import os
import time

import keras
import numpy as np

import stackrec_keras as sr
from stackrec_keras.models import SequentialRecommender

NUM_ITEMS, DIM, BATCH, TIME = 3706, 64, 256, 19


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--steps", type=int, default=60, help="timed steps of each model"
    )
    parser.add_argument("--repeats", type=int, default=3, help="first steps timed")
    arguments = parser.parse_args()
    print(
        f"keras {keras.__version__}, {keras.backend.backend()}, {os.cpu_count()} cores"
    )
    steps(arguments.steps)
    first_steps(arguments.repeats)


def steps(number):
    grown = compiled(sr.NextItNet(NUM_ITEMS, DIM, num_blocks=4))
    grown.train_on_batch(*batch())
    for depth in (8, 16):
        start = time.perf_counter()
        grown.grow("stackC", num_blocks=depth)
        print(f"growing to {depth} blocks: {time.perf_counter() - start:.2f} s")
    built = compiled(sr.NextItNet(NUM_ITEMS, DIM, num_blocks=16))
    seconds = {"grown": [], "built": []}
    for net in (grown, built):
        for _ in range(3):
            net.train_on_batch(*batch())
    for _ in range(number):
        for name, net in (("grown", grown), ("built", built)):
            seconds[name].append(timed(net))
    for name, values in seconds.items():
        low, middle, high = np.percentile(values, [5, 50, 95])
        print(f"{name:8} step {middle:.4f} s (5 to 95%: {low:.4f} to {high:.4f})")
    ratios = np.array(seconds["grown"]) / np.array(seconds["built"])
    low, high = np.percentile(ratios, [25, 75])
    medians = np.median(seconds["grown"]) / np.median(seconds["built"])
    print(f"grown / built: {medians:.3f} (quartiles by pair: {low:.3f} to {high:.3f})")


def first_steps(repeats):
    makers = {
        "depth as an axis": lambda: sr.NextItNet(NUM_ITEMS, DIM, num_blocks=32),
        "list of layers": lambda: ListOfLayers(32),
    }
    seconds = {name: [] for name in makers}
    for _ in range(repeats):
        for name, make in makers.items():
            start = time.perf_counter()
            net = compiled(make())
            built = time.perf_counter() - start
            step = timed(net)
            print(f"{name}: built in {built:.1f} s, first step {step:.1f} s")
            seconds[name].append(step)
    for name, values in seconds.items():
        spread = ", ".join(f"{value:.1f}" for value in values)
        print(f"first step of 32 blocks, {name}: {np.median(values):.1f} s ({spread})")
    axis, layers = (np.median(values) for values in seconds.values())
    print(f"depth as an axis / list of layers: {axis / layers:.2f}")


class ListOfLayers(SequentialRecommender):
    """The same model with a separate layer for each convolution and norm."""

    def __init__(self, depth):
        super().__init__(NUM_ITEMS, DIM, depth)
        self.embedding = keras.layers.Embedding(NUM_ITEMS + 1, DIM)
        self.blocks = [Block((1, 4)[i % 2]) for i in range(depth)]
        for layer in (self.embedding, *self.blocks):
            layer.build((None, None, DIM))
        self.built = True

    def hidden_states(self, features, training):
        x = self.embedding(features["items"])
        for block in self.blocks:
            x = block(x)
        return x


class Block(keras.layers.Layer):
    def __init__(self, dilation):
        super().__init__()
        self.convolutions = [
            keras.layers.Conv1D(DIM, 3, padding="causal", dilation_rate=r * dilation)
            for r in (1, 2)
        ]
        self.norms = [keras.layers.LayerNormalization(epsilon=1e-8) for _ in "12"]

    def build(self, input_shape):
        for layer in (*self.convolutions, *self.norms):
            layer.build(input_shape)
        self.gate = self.add_weight(shape=(), initializer="zeros")

    def call(self, x):
        h = x
        for convolution, norm in zip(self.convolutions, self.norms):
            h = keras.ops.relu(norm(convolution(h)))
        return x + self.gate * h


def compiled(net):
    net.compile()
    return net


def batch():
    rng = np.random.default_rng(0)
    items = rng.integers(1, NUM_ITEMS + 1, (BATCH, TIME + 1), dtype="int32")
    return items[:, :-1], items[:, 1:]


def timed(net):
    x, y = batch()
    start = time.perf_counter()
    net.train_on_batch(x, y)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
