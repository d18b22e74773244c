"""Does the depth autopilot find out by itself whether depth pays?

    python benchmarks/autopilot.py --data synthetic --seeds 0 1 2
    python benchmarks/autopilot.py --data ml-1m --seeds 0 1 --jit \\
        --inherit all_but_gates --optimizer-state reset

In the synthetic log the next item hangs on items 1, 4 and 12 steps back. With kernel 3
and dilations 1 and 4, as NextItNet has them by default, 1 block reaches 6 steps back
and 2 reach 30, so depth pays at the first growth. With `--kernel-size 2 --dilations 1`
a block reaches 3 steps back: 1 sees the last item alone, 2 no item 12 back, and 4 see
all. The autopilot starts with 1 block; beside it nets of fixed depth, trained for as
many epochs, each with the weights of its best epoch. Quality is that of test rows.
"""

import argparse
import os
import time
from dataclasses import dataclass

import keras
import pandas as pd

import stackrec_keras as sr


@dataclass(frozen=True)
class Job:
    """A data set and how to train on it."""

    length: int
    batch_size: int
    learning_rate: float
    epochs: int
    start: int
    depths: tuple
    max_blocks: int


JOBS = {
    "synthetic": Job(31, 64, 5e-3, 40, 1, (1, 2, 4, 8), 16),
    "ml-1m": Job(20, 128, 3e-3, 16, 1, (1, 4), 16),
}
MONITOR = "val_mrr@5"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", choices=JOBS, default="synthetic")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--kernel-size", type=int, default=3)
    parser.add_argument("--dilations", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--patience", type=int, default=2)
    parser.add_argument("--min-gain", type=float, default=0.01)
    parser.add_argument("--inherit", default="all", help="as StackingCallback's")
    parser.add_argument("--optimizer-state", default="carry", help="likewise")
    parser.add_argument("--jit", action=argparse.BooleanOptionalAction, default=False)
    arguments = parser.parse_args()
    job = JOBS[arguments.data]
    split = data(arguments.data, job)
    print(f"{split}\nkeras on {keras.backend.backend()}, {os.cpu_count()} cores")
    rows = []
    for seed in arguments.seeds:
        autopilot = sr.StackingSchedule.plateau(
            MONITOR, arguments.patience, arguments.min_gain, job.max_blocks
        )
        grows = sr.StackingCallback(
            "stackC",
            autopilot,
            inherit=arguments.inherit,
            optimizer_state=arguments.optimizer_state,
        )
        rows.append(one("autopilot", split, job, job.start, grows, seed, arguments))
        for depth in job.depths:
            best = keras.callbacks.EarlyStopping(
                MONITOR, patience=job.epochs, restore_best_weights=True
            )
            name = f"{depth} blocks"
            rows.append(one(name, split, job, depth, best, seed, arguments))
        print(pd.DataFrame(rows).round(4).to_string(index=False), flush=True)


def data(name, job):
    log = sr.data.synthetic(num_items=60) if name == "synthetic" else sr.data.load(name)
    vocabulary = sr.data.Vocabulary.from_items(log["item"])
    return sr.data.split_random(sr.data.make_windows(log, vocabulary, job.length))


def one(name, split, job, blocks, callback, seed, arguments):
    keras.utils.set_random_seed(seed)
    model = sr.NextItNet(
        split.num_items,
        num_blocks=blocks,
        kernel_size=arguments.kernel_size,
        dilations=arguments.dilations,
    )
    jit = arguments.jit or "auto"
    model.compile(keras.optimizers.Adam(job.learning_rate), jit_compile=jit)
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
        **{n: found[n] for n in ("mrr@5", "hit_rate@10", "ndcg@10")},
    }


if __name__ == "__main__":
    main()
