"""Code for benchmarks that compare two forms of one layer."""

import argparse
import os
import time

import keras
import numpy as np


def compare(description, forms, build, using, batch, length):
    """Times training steps, alternating between forms, and prints each form's times.

    Args:
        description: String, what `--help` says.
        forms: Dict from a form's name to the argument of `using` that selects it.
        build: Function that returns an uncompiled model of 100 items.
        using: Function that takes a value of `forms`, and returns a context manager
            in which models use that form.
        batch: Integer, rows per batch.
        length: Integer, items per row, including the last target.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--jit", action="store_true", help="compile with XLA")
    arguments = parser.parse_args()
    items = np.random.default_rng(0).integers(1, 101, (batch, length), dtype="int32")
    models = {name: build() for name in forms}
    seconds = {name: [] for name in forms}
    for name, model in models.items():
        model.compile(jit_compile=arguments.jit or "auto")
        first = _step(model, items, using(forms[name]))
        print(f"{name}: first step {first:.1f} s")
    for _ in range(arguments.steps):
        for name, model in models.items():
            seconds[name].append(_step(model, items, using(forms[name])))
    print(f"{keras.backend.backend()}, jit={arguments.jit}, {os.cpu_count()} cores")
    for name, values in seconds.items():
        low, middle, high = np.percentile(values, [5, 50, 95])
        print(f"{name:12} {middle:.4f} s per step (90% within {low:.4f} to {high:.4f})")


def _step(model, items, context):
    start = time.perf_counter()
    with context:
        model.train_on_batch(items[:, :-1], items[:, 1:])
    return time.perf_counter() - start
