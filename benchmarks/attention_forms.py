"""Which form of causal attention is fastest on this backend.

    KERAS_BACKEND=torch python benchmarks/attention_forms.py

Training steps of a SASRec of 8 blocks (width 64, 49 positions, batch 128) with Keras'
attention, which takes the backend's fused kernel, and written out, in turn.
"""

import argparse
import os
import time
from unittest import mock

import keras
import numpy as np

import stackrec_keras as sr
from stackrec_keras.layers import causal_attention as module
from stackrec_keras.layers import rezero_transformer_stack as stack


def written_out(query, key, value, mask=None, dropout=0.0, seed=None):
    return module._attention(query, key, value, mask, 0.0, seed)


FORMS = {"fused": module.causal_attention, "written out": written_out}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--jit", action="store_true", help="compile with XLA")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    items = rng.integers(1, 101, (128, 50), dtype="int32")
    seconds = {name: [] for name in FORMS}
    models = {}
    for name in FORMS:
        models[name] = sr.SASRec(100, 49, num_blocks=8)
        models[name].compile(jit_compile=arguments.jit or "auto")
        step(models[name], name, items)
    for _ in range(arguments.steps):
        for name, model in models.items():
            seconds[name].append(step(model, name, items))
    print(f"{keras.backend.backend()}, jit={arguments.jit}, {os.cpu_count()} cores")
    for name, values in seconds.items():
        low, middle, high = np.percentile(values, [5, 50, 95])
        print(f"{name:12} {middle:.4f} s a step (5 to 95%: {low:.4f} to {high:.4f})")


def step(model, name, items):
    start = time.perf_counter()
    with mock.patch.object(stack, "causal_attention", FORMS[name]):
        model.train_on_batch(items[:, :-1], items[:, 1:])
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
