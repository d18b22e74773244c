"""Does a run that was killed at a random moment end as one that was not?

    KERAS_BACKEND=torch python benchmarks/torture_kills.py --kills 10

Trains a SASRec that grows twice, once without interruption. Then kills runs of the same
options (kill -9) at random moments after their first step, and resumes each until it
is finished; a resumed run may be killed again. Weights, the optimizer's state and the
history must be those of the uninterrupted run, to the bit.
"""

import argparse
import importlib
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
import zipfile
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np
from torture import BACKEND, report

from stackrec_keras.cli import main as main_of_stackrec

OPTIONS = (
    "--model sasrec --length 12 --embedding-dim 16 --num-heads 2 --dropout 0.2 "
    "--num-blocks 1 --schedule 2:2,5:4 --method stackR --epochs {epochs} --patience 9 "
    "--batch-size 64 --loss sampled_softmax --learning-rate 0.01 --decay 0.5"
)
EPOCHS = 9
# A fork begins with what takes many seconds to import: Keras seeds TensorFlow, too.
LOADED_ONCE = ("tensorflow", "matplotlib.pyplot", "stackrec_keras.runs.training")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for name in (BACKEND, *LOADED_ONCE):
        if find_spec(name) is not None:
            importlib.import_module(name)
    rng = random.Random(arguments.seed)
    kills, runs, failures = 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        log = _write_log(folder / "log.csv")
        seconds = _run(_train(log, folder / "whole"))
        whole = _outcome(folder / "whole")
        while kills < arguments.kills:
            out, moments = folder / f"run-{runs}", []
            while kills < arguments.kills:
                epochs = rng.randint(1, EPOCHS // (1 + len(moments)))
                moment = rng.uniform(0, 1.5 * seconds / EPOCHS)
                if not _kill(_train(log, out), epochs, moment):
                    break  # it had already ended
                kills += 1
                moments.append(f"{moment:.2f} s into epoch {epochs}")
                if rng.random() < 0.5:
                    break
            if moments:
                _run(_train(log, out))
                print(f"killed {', then '.join(moments)} of this start", flush=True)
                found = _outcome(out)
                other = [n for n in {**whole, **found} if whole.get(n) != found.get(n)]
                if other:
                    failures.append(f"run {runs}, killed at {moments}: {other[0]}")
            runs += 1
    report("kills", kills, failures)


def _write_log(path):
    rng = np.random.default_rng(0)
    rows = ["user,item,timestamp"]
    for user in range(150):
        item = rng.integers(60)
        for step in range(25):
            rows.append(f"{user},{item},{1_600_000_000 + 3600 * step}")
            item = (5 * item + 3) % 60 if rng.random() < 0.7 else rng.integers(60)
    path.write_text("\n".join(rows) + "\n")
    return path


def _train(log, out):
    options = OPTIONS.format(epochs=EPOCHS)
    return f"train --data {log} {options} --out {out} --resume".split()


class Process:
    """`stackrec train` in a fork of this process, which has loaded the backend."""

    def __init__(self, arguments):
        output, written = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            for stream in (1, 2):
                os.dup2(written, stream)
            sys.stdout.reconfigure(line_buffering=True)
            os._exit(main_of_stackrec(arguments))
        os.close(written)
        self.output = open(output)
        self.lines = []
        self.epochs = threading.Semaphore(0)  # begun; any number at the end
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.output:
            self.lines.append(line)
            if line.startswith("Epoch "):
                self.epochs.release()
        self.epochs.release(EPOCHS)

    def end(self, epochs=0, seconds=None):
        """Waits for the end, or kills the process some seconds after so many epochs
        began. Returns the exit status, negative for a signal."""
        for _ in range(epochs):
            self.epochs.acquire()
        self._reader.join(seconds)
        if self._reader.is_alive():
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        self._reader.join()
        self.output.close()
        return os.waitstatus_to_exitcode(status)


def _run(arguments):
    """Runs to the end, and returns the seconds from the first epoch on."""
    process = Process(arguments)
    process.epochs.acquire()
    start = time.monotonic()
    if code := process.end():
        sys.exit(f"ended with {code}:\n{''.join(process.lines)}")
    return time.monotonic() - start


def _kill(arguments, epochs, seconds):
    """Kills a run, and returns whether it was still running."""
    return Process(arguments).end(epochs, seconds) == -signal.SIGKILL


def _outcome(out):
    """Returns a dict from names to bytes or values: all that must be the same."""
    history = json.loads((out / "history.json").read_text())
    found = {n: v for n, v in history.items() if not n.endswith("seconds")}
    found["results"] = json.loads((out / "metrics.json").read_text())["results"]
    with zipfile.ZipFile(out / "model.keras") as archive:
        weights = BytesIO(archive.read("model.weights.h5"))

    def add(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = np.asarray(item[()]).tobytes()

    with h5py.File(weights) as file:
        file.visititems(add)
    return found


if __name__ == "__main__":
    main()
