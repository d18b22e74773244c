"""Compares HSTU's attention in chunks of queries with that in one piece.

    KERAS_BACKEND=jax python benchmarks/hstu_attention.py --chunk-size 128

Times training steps, forward and backward, of an `HSTUStack` (4 blocks, width 64, 2
heads, batch 8) at 200 and 1,000 positions, alternating between the two forms. Then it
measures how far each form raises peak memory, in a process of its own.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np

from stackrec_keras.layers import HSTUStack

FORMS = ("one piece", "in chunks")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--chunk-size", type=int, default=128)
    parser.add_argument("--lengths", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--memory-of", choices=FORMS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_of:
        print(peak_megabytes(arguments, arguments.lengths[0], arguments.memory_of))
        return
    print(f"{keras.backend.backend()}, {os.cpu_count()} cores")
    print("length  form       seconds a step (5 to 95%)      peak memory")
    for length in arguments.lengths:
        seconds = seconds_of_steps(arguments, length)
        for form in FORMS:
            low, middle, high = np.percentile(seconds[form], [5, 50, 95])
            spread = f"{middle:.3f} ({low:.3f} to {high:.3f})"
            memory = measured_apart(length, form)
            print(f"{length:6}  {form:9}  {spread:30} {memory:6.0f} MB")


def seconds_of_steps(arguments, length):
    """Returns a dict from form to the seconds of each step. The forms take turns."""
    models = {form: build(arguments, length, form) for form in FORMS}
    batch = data(arguments, length)
    seconds = {form: [] for form in FORMS}
    for step in range(arguments.steps + 1):
        for form, model in models.items():
            start = time.perf_counter()
            model.train_on_batch(*batch)
            if step:  # the first one compiles
                seconds[form].append(time.perf_counter() - start)
    return seconds


def measured_apart(length, form):
    """Returns by how many MB a form raises peak memory, in a process of its own."""
    options = ["--lengths", str(length), "--memory-of", form]
    command = [sys.executable, *sys.argv, *options]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(result.stdout.split()[-1])


def peak_megabytes(arguments, length, form):
    batch = data(arguments, length)
    # A small step first, so that compiler and libraries have allocated their memory.
    build(arguments, 8, form).train_on_batch(*data(arguments, 8))
    before = peak_kilobytes()
    model = build(arguments, length, form)
    for _ in range(2):
        model.train_on_batch(*batch)
    after = peak_kilobytes()
    return (after - before) / 1024


def peak_kilobytes():
    # With getrusage, a new process would begin with the peak of its parent.
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+)", status).group(1))


def build(arguments, length, form):
    chunk_size = arguments.chunk_size if form == "in chunks" else None
    stack = HSTUStack(4, 64, length, num_heads=2, chunk_size=chunk_size)
    x = keras.Input((length, 64), name="x")
    names = ("timestamps", "next_timestamps")
    context = {name: keras.Input((length,), dtype="int32", name=name) for name in names}
    model = keras.Model({"x": x, **context}, stack(x, context=context))
    jit = keras.backend.backend() != "torch"
    model.compile(keras.optimizers.Adam(1e-3), "mse", jit_compile=jit)
    return model


def data(arguments, length):
    rng = np.random.default_rng(0)
    shape = (arguments.batch, length, 64)
    seconds = rng.integers(0, 10**5, (arguments.batch, length + 1)).cumsum(axis=1)
    seconds = (seconds + 10**9).astype("int32")
    x = rng.normal(size=shape).astype("float32")
    times = {"timestamps": seconds[:, :-1], "next_timestamps": seconds[:, 1:]}
    return {"x": x, **times}, rng.normal(size=shape).astype("float32")


if __name__ == "__main__":
    main()
