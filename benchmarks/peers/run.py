"""Seconds per training step of SASRec, here and in other libraries.

    python benchmarks/peers/run.py --install --environments ~/peers
    python benchmarks/peers/run.py --environments ~/peers

The first command makes a virtual environment for each other library, from PyPI. The
second starts a process for each implementation. The processes take turns: each takes a
few steps while the others wait. The script prints a table of the median seconds per
step, and how many times as fast each implementation is as RecTools: the median, and
the smallest and largest ratio of any round. The last column has the fraction of the
machine's peak that the step's matrix products reach. The peak is that of NumPy's
product of two large matrices.

All train the same SASRec: 2 blocks, 1 head, width 64 (also in the feed-forward layers),
dropout 0.2, rows of 200 items, batches of 128 and Adam. The loss is the softmax over
all 3,706 items, at each position, with one embedding for input and output. There is one
exception: RecBole predicts only the last item of a row, and so computes one target
where the others compute 200.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from step_clock import PREFIX

HERE = Path(__file__).parent
NUM_ITEMS, NUM_ROWS, LENGTH = 3706, 512, 201
BATCH, BLOCKS, WIDTH = 128, 2, 64
LAST_ITEM_ONLY = "RecBole, last item only"
TORCH = "torch==2.13.0"
# The packages of each other library. The others run in this environment.
PACKAGES = {
    "rectools": [TORCH, "rectools[torch]==0.19.0"],
    "recbole": [TORCH, "recbole==1.2.1", "numpy<2", "pandas<3"],
}


@dataclass(frozen=True)
class Implementation:
    """A script that trains, the environment it needs, and its `KERAS_BACKEND`."""

    script: str
    backend: str = ""
    environment: str = ""


IMPLEMENTATIONS = {
    "RecTools": Implementation("with_rectools.py", environment="rectools"),
    LAST_ITEM_ONLY: Implementation("with_recbole.py", environment="recbole"),
    "plain PyTorch": Implementation("with_torch.py"),
    **{
        f"layers of Keras, {name}": Implementation("with_keras_layers.py", name)
        for name in ("tensorflow", "jax", "torch")
    },
    **{
        f"stackrec_keras, {name}": Implementation("with_stackrec_keras.py", name)
        for name in ("tensorflow", "jax", "torch")
    },
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--environments", type=Path, required=True)
    parser.add_argument("--install", action="store_true", help="make them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5, help="steps per turn")
    arguments = parser.parse_args()
    if arguments.install:
        return install(arguments.environments)
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.npy"
        shape = (NUM_ROWS, LENGTH)
        np.save(rows, np.random.default_rng(0).integers(1, NUM_ITEMS + 1, shape))
        workers = {
            name: Worker(implementation, arguments.environments, rows, folder)
            for name, implementation in IMPLEMENTATIONS.items()
        }
        for worker in workers.values():
            worker.wait()  # compiles, and warms up
        peak = operations_per_second()
        seconds = {name: [] for name in workers}
        for _ in range(arguments.rounds):
            for name, worker in workers.items():
                seconds[name].append(worker.take(arguments.steps))
        for worker in workers.values():
            worker.end()
    print(table(seconds, peak))


def install(environments):
    for name, packages in PACKAGES.items():
        venv.create(environments / name, with_pip=True)
        python = environments / name / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)


class Worker:
    """A process that trains for some steps whenever it is told to."""

    def __init__(self, implementation, environments, rows, folder):
        python = Path(sys.executable)
        if implementation.environment:
            python = environments / implementation.environment / "bin" / "python"
        variables = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        if implementation.backend:
            variables["KERAS_BACKEND"] = implementation.backend
        self.process = subprocess.Popen(
            [python, "-W", "ignore", HERE / implementation.script, rows],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=variables,
            text=True,
        )

    def wait(self):
        """Returns the seconds that the process reports next."""
        for line in self.process.stdout:
            if line.startswith(PREFIX):
                return float(line.removeprefix(PREFIX))
        raise RuntimeError(f"{self.process.args} ended. Run it to see why.")

    def take(self, steps):
        """Returns the seconds per step of so many steps."""
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return self.wait() / steps

    def end(self):
        self.process.kill()
        self.process.wait()


def operations_per_second(size=3000, repeats=10):
    """Returns the most that NumPy reaches, in floating-point operations."""
    matrix = np.ones((size, size), "float32")
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        matrix @ matrix
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def operations_per_step():
    """Returns the floating-point operations of a step's matrix products. A gradient
    takes two products for each one of the forward pass."""
    positions = BATCH * (LENGTH - 1)
    dense = 5 * WIDTH  # query, key, value, and two layers of the feed-forward part
    attention = 2 * (LENGTH - 1)
    each = BLOCKS * (dense + attention) + NUM_ITEMS + 1
    return 3 * 2 * positions * WIDTH * each


def table(seconds, peak):
    lines = ["| | seconds per step | times RecTools | fraction of the peak |"]
    lines.append("|---|---|---|---|")
    for name, own in seconds.items():
        median = statistics.median(own)
        ratios = [other / each for other, each in zip(seconds["RecTools"], own)]
        part = f"{operations_per_step() / (median * peak):.0%}"
        lines.append(
            f"| {name} | {median:.3f} | {statistics.median(ratios):.2f}"
            f" ({min(ratios):.2f} to {max(ratios):.2f})"
            f" | {'' if name == LAST_ITEM_ONLY else part} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
