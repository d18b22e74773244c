"""Compares time and memory of two forms of a loss: one-pass and plain.

    KERAS_BACKEND=torch python benchmarks/output_layer.py
    KERAS_BACKEND=torch python benchmarks/output_layer.py --cases sampled

Measures the computation of the loss and of its gradients with respect to the hidden
states, the output embedding and the biases, including the draw of negatives. The width
is 64. The computation uses one thread; on TensorFlow, it is compiled with XLA. The
one-pass form computes losses and gradients together; the plain form computes the
gradients in the backward pass. The two forms take turns. Prints how many times as fast
the one-pass form is (median and quartiles over pairs of steps, by processor time), the
median of its time, and by how much each form raises the peak memory of its own process.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import keras
import numpy as np

from stackrec_keras.losses import GBCE, FullSoftmax, SampledSoftmax, sampled_loss

# Rows, positions, classes, and the fraction of positions without a target.
SIZES = {
    "128 x 200, 3,707 classes, 15% padding": (128, 200, 3_707, 0.15),
    "256 x 19, 3,707 classes": (256, 19, 3_707, 0.0),
    "256 x 19, 46,000 classes": (256, 19, 46_000, 0.0),
}
# MovieLens-1M, as SASRec reads it.
SASREC = (128, 200, 3_417, 0.46)
FULL = {name: (FullSoftmax, {}, size) for name, size in SIZES.items()}


def sampled(kind, count, per, size):
    return kind, {"num_negatives": count, "negatives_per": per}, size


SAMPLED = {
    "softmax, 3,000 a row": sampled(SampledSoftmax, 3_000, "row", SASREC),
    "softmax, 256 a batch": sampled(SampledSoftmax, 256, "batch", SASREC),
    "softmax, 128 a position": sampled(SampledSoftmax, 128, "position", SASREC),
    "gBCE, 256 a position": sampled(GBCE, 256, "position", SASREC),
    "softmax, 741 a batch, 256 x 19": sampled(
        SampledSoftmax, 741, "batch", (256, 19, 3_707, 0.0)
    ),
}
# Around the sizes from which the losses keep their plain form.
LIMITS = {
    "gBCE, 256 a row": sampled(GBCE, 256, "row", SASREC),
    "softmax, 2,278 a row, all targets": sampled(
        SampledSoftmax, 2_278, "row", (128, 200, 3_417, 0.0)
    ),
    "gBCE, 256 a position, 8,192 classes, all targets": sampled(
        GBCE, 256, "position", (128, 200, 8_192, 0.0)
    ),
    "gBCE, 256 a position, 20,001 classes": sampled(
        GBCE, 256, "position", (128, 200, 20_001, 0.46)
    ),
}
CASES = {"full": FULL, "sampled": SAMPLED, "limits": LIMITS}


def plain(kind):
    """Computes all losses first, and the gradients in the backward pass."""

    def training_losses(self, *args):
        return kind.training_losses(self, *args)

    return type("Plain", (kind,), {"training_losses": training_losses})


def one_pass(kind):
    sampled_loss.pays_for_sample = lambda *args: True
    return kind


FORMS = {"plain": plain, "one pass": one_pass}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--cases", choices=CASES, default="full")
    parser.add_argument("--memory-of", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    cases = CASES[arguments.cases]
    if arguments.memory_of:
        form, case = arguments.memory_of
        print(peak_megabytes(form, cases[case]))
        return
    print(keras.backend.backend())
    for name, case in cases.items():
        plain, one_pass = np.transpose(processor_seconds(case, arguments.steps))
        low, middle, high = np.percentile(plain / one_pass, [25, 50, 75])
        memory = [f"{measured_apart(form, name):.0f} MB" for form in FORMS]
        print(
            f"{name}: {middle:.2f} times as fast ({low:.2f} to {high:.2f}), "
            f"{1000 * np.median(one_pass):.0f} ms, "
            f"memory {' -> '.join(memory)}"
        )


def processor_seconds(case, steps):
    """Processor time of each form, step by step."""
    forms = [step_of(form, case) for form in FORMS]
    return [[seconds(step) for step in forms] for _ in range(steps + 1)][1:]


def seconds(step):
    start = time.process_time()
    step()
    return time.process_time() - start


def measured_apart(form, case):
    """Peak memory of a form, measured in a process that runs only this form."""
    command = [sys.executable, *sys.argv, "--memory-of", form, case]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(result.stdout.split()[-1])


def peak_megabytes(form, case):
    # In this small first step, the compiler and libraries allocate their own memory,
    # which is not measured.
    kind, options, _ = case
    step_of(form, (kind, options, (2, 8, 50, 0.0)))()
    step = step_of(form, case)
    before = peak_kilobytes()
    for _ in range(2):
        step()
    return (peak_kilobytes() - before) / 1024


def peak_kilobytes():
    # getrusage is not used: in a new process, the peak that it reports starts at the
    # peak of the parent process.
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+)", status).group(1))


def step_of(form, case):
    """Returns a function that computes the loss and its gradients."""
    kind, options, (rows, time_steps, classes, padding) = case
    loss, seed = FORMS[form](kind)(**options), keras.random.SeedGenerator(0)

    def seeded(*tensors):
        with keras.StatelessScope():
            return loss(*tensors, seed=seed)

    rng = np.random.default_rng(0)
    y = rng.integers(1, classes, (rows, time_steps), dtype="int32")
    missing = rng.uniform(0, 2 * padding, (rows, 1)) * time_steps
    y[np.arange(time_steps) < missing] = 0
    shapes = (rows, time_steps, 64), (classes, 64), (classes,)
    arrays = [rng.normal(scale=0.3, size=s).astype("float32") for s in shapes]
    return globals()[f"{keras.backend.backend()}_step"](seeded, y, arrays)


def torch_step(loss, y, arrays):
    import torch

    torch.set_num_threads(1)
    y = torch.tensor(y)
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    return lambda: torch.autograd.grad(loss(y, *tensors), tensors)


def jax_step(loss, y, arrays):
    import jax

    function = jax.jit(jax.value_and_grad(lambda *t: loss(y, *t), (0, 1, 2)))
    tensors = [jax.numpy.asarray(a) for a in arrays]
    return lambda: jax.block_until_ready(function(*tensors))


def tensorflow_step(loss, y, arrays):
    import tensorflow as tf

    @tf.function(jit_compile=True, autograph=False)
    def function(*tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = loss(y, *tensors)
        return [tf.convert_to_tensor(g) for g in tape.gradient(value, tensors)]

    tensors = [tf.constant(a) for a in arrays]
    return lambda: [gradient.numpy() for gradient in function(*tensors)]


if __name__ == "__main__":
    main()
