"""Which form of the causal convolution is fastest on this backend.

    KERAS_BACKEND=tensorflow python benchmarks/convolution_forms.py

Training steps of a net of 8 blocks (width 64, 19 positions, batch 256) with each form
of `stackrec_keras.layers.causal_convolution`, in turn.
"""

import argparse
import os
import time
from unittest import mock

import keras
import numpy as np

import stackrec_keras as sr
from stackrec_keras.layers import causal_convolution as module

FORMS = {"convolution": True, "sum of taps": False}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--jit", action="store_true", help="compile with XLA")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    items = rng.integers(1, 101, (256, 20), dtype="int32")
    seconds = {name: [] for name in FORMS}
    models = {}
    for name in FORMS:
        models[name] = sr.NextItNet(100, 64, num_blocks=8)
        models[name].compile(jit_compile=arguments.jit or "auto")
        print(f"{name}: first step {step(models[name], name, items):.1f} s")
    for _ in range(arguments.steps):
        for name, model in models.items():
            seconds[name].append(step(model, name, items))
    print(f"{keras.backend.backend()}, jit={arguments.jit}, {os.cpu_count()} cores")
    for name, values in seconds.items():
        low, middle, high = np.percentile(values, [5, 50, 95])
        print(f"{name:12} {middle:.4f} s a step (5 to 95%: {low:.4f} to {high:.4f})")


def step(model, name, items):
    start = time.perf_counter()
    with mock.patch.object(module, "_has_fast_convolution", lambda: FORMS[name]):
        model.train_on_batch(items[:, :-1], items[:, 1:])
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
