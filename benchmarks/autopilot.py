"""Does the depth autopilot find out by itself whether depth pays?

    python benchmarks/autopilot.py --job nextitnet --seeds 0 1 2 --jit
    python benchmarks/autopilot.py --job flat --seeds 0 1 2

Each job trains a shallow model that the autopilot grows. For comparison, the job also
trains models of fixed depth, for the same number of epochs. Each model keeps the
weights of its best epoch by validation loss. Quality is measured on the test rows. The
jobs:

- `nextitnet`: the model and log of the README's `stackrec train` command; starts with
  4 blocks;
- `sasrec`: SASRec with dropout on MovieLens-1M; starts with 2 blocks; meant for a GPU;
- `flat`: a synthetic log whose next item depends only on the last one; starts with 1
  block.
"""

import argparse
import os
import time
from dataclasses import dataclass, field

import keras
import pandas as pd

import stackrec_keras as sr


@dataclass(frozen=True)
class Job:
    """A data set (MovieLens-1M, or arguments of a synthetic log), a model, how to train
    it, and how it grows."""

    data: dict | None
    length: int
    batch_size: int
    learning_rate: float
    epochs: int
    depths: tuple
    model: str = "NextItNet"
    options: dict = field(default_factory=dict)
    growth: dict = field(default_factory=dict)
    patience: int = 2


NARROW = {"kernel_size": 2, "dilations": [1]}
JOBS = {
    "flat": Job(
        {"num_items": 60, "num_classes": 1},
        *(31, 64, 5e-3, 40),
        depths=(1, 2, 4),
        options=NARROW,
    ),
    "nextitnet": Job(
        None,
        *(50, 64, 3e-3, 16),
        depths=(4, 16, 32),
        options=NARROW,
        growth={"inherit": "all_but_gates", "optimizer_state": "reset"},
        patience=1,
    ),
    "sasrec": Job(
        None,
        *(50, 128, 1e-3, 50),
        depths=(2, 8, 16),
        model="SASRec",
        options={"max_length": 49, "norm": "pre", "dropout": 0.2},
        patience=1,
    ),
}
MONITOR = "val_loss"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--job", choices=JOBS, default="nextitnet")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--min-gain",
        type=float,
        default=0.0,
        help="stop growing after a stage that lowers the loss by less than this",
    )
    parser.add_argument("--jit", action=argparse.BooleanOptionalAction, default=False)
    arguments = parser.parse_args()
    job = JOBS[arguments.job]
    split = data(job)
    print(f"{split}\nkeras on {keras.backend.backend()}, {os.cpu_count()} cores")
    rows = []

    def run(*net):
        rows.append(one(split, job, arguments.jit, *net))
        print(pd.DataFrame(rows).round(4).to_string(index=False), flush=True)

    for seed in arguments.seeds:
        autopilot = sr.StackingSchedule.plateau(
            MONITOR, job.patience, arguments.min_gain, max_blocks=job.depths[-1]
        )
        grows = sr.StackingCallback(
            "stackC", autopilot, **{"optimizer_state": "carry", **job.growth}
        )
        run("autopilot", job.depths[0], grows, seed)
        for depth in job.depths:
            best = keras.callbacks.EarlyStopping(
                MONITOR, patience=job.epochs, restore_best_weights=True
            )
            run(f"{depth} blocks", depth, best, seed)


def data(job):
    log = sr.data.load("ml-1m") if job.data is None else sr.data.synthetic(**job.data)
    vocabulary = sr.data.Vocabulary.from_items(log["item"])
    return sr.data.split_random(sr.data.make_windows(log, vocabulary, job.length))


def one(split, job, jit, name, blocks, callback, seed):
    keras.utils.set_random_seed(seed)
    architecture = getattr(sr, job.model)
    model = architecture(split.num_items, num_blocks=blocks, **job.options)
    optimizer = keras.optimizers.Adam(job.learning_rate)
    model.compile(optimizer, jit_compile=jit or "auto")
    start = time.perf_counter()
    history = model.fit(
        split.train.batches(job.batch_size, seed=seed),
        validation_data=split.validation.evaluation_arrays(),
        epochs=job.epochs,
        callbacks=[callback],
        verbose=0,
    ).history
    seconds = time.perf_counter() - start
    found = model.evaluate(
        *split.test.evaluation_arrays(), batch_size=1024, verbose=0, return_dict=True
    )
    return {
        "net": name,
        "seed": seed,
        "deepest": int(max(history.get("num_blocks", [blocks]))),
        "blocks": model.num_blocks,
        "seconds": seconds,
        MONITOR: min(history[MONITOR]),
        **{n: found[n] for n in ("mrr@5", "hit_rate@10", "ndcg@10")},
    }


if __name__ == "__main__":
    main()
