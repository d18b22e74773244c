"""Does a large catalogue with short histories fit into 8 GB, and how long does it take?

    python benchmarks/large_catalogue.py --data globo_clicks.npz --steps 1000

Reads an .npz of `user`, `item` and `timestamp` that holds the clicks of a news portal,
such as Globo.com (46,033 items, 3 million clicks). Splits the clicks at two points in
time. Compares a ranking by popularity with a NextItNet that trains with a sampled
softmax for `--steps` steps. Validation and test each take the fraction `--held-out` of
the events. Targets are ranked among all items that occur in training. If there are more
than `--test-rows` test rows, a random sample of that size is used.
"""

import argparse
import os
import time

import keras
import numpy as np
import pandas as pd
from peak_memory import peak_bytes

import stackrec_keras as sr
from stackrec_keras.evaluation import popularity_results, training_counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, metavar="FILE.npz")
    parser.add_argument("--steps", type=int, default=1000, help="of training")
    parser.add_argument("--test-rows", type=int, default=20_000, help="at most")
    parser.add_argument(
        "--held-out", type=float, default=0.02, help="fraction of events"
    )
    parser.add_argument("--length", type=int, default=20, help="items a row")
    parser.add_argument("--num-blocks", type=int, default=8)
    parser.add_argument("--negatives", type=int, default=1024, help="items a step")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    keras.utils.set_random_seed(arguments.seed)
    print(
        f"keras {keras.__version__}, {keras.backend.backend()}, {os.cpu_count()} cores"
    )
    table = Table()
    log = table.row("read", lambda: read(arguments.data))
    split = table.row(
        "split by time",
        lambda: sr.data.split_by_time(
            log, arguments.length, arguments.held_out, arguments.held_out
        ),
    )
    print(split)
    rows = sample(split.test, arguments.test_rows, arguments.seed)
    print(f"{len(rows):,} of {len(split.test):,} test rows")
    counts = training_counts(split.train)
    table.row("popularity", lambda: popularity_results(counts, rows))
    model = table.row("build", lambda: build(split, arguments))
    name = f"train, {arguments.steps} steps"
    table.row(name, lambda: train(model, split, arguments))
    table.row(f"evaluate, {model.num_blocks} blocks", lambda: evaluate(model, rows))
    print(table)


class Table:
    """A row per step: its name, its seconds, and the peak memory up to its end."""

    def __init__(self):
        self.rows = []

    def row(self, name, step):
        start = time.perf_counter()
        result = step()
        row = {"step": name, "seconds": time.perf_counter() - start}
        row["peak GiB"] = peak_bytes() / 2**30
        if isinstance(result, dict):
            row |= {m: result[m] for m in ("mrr@5", "hit_rate@10", "ndcg@10")}
        self.rows.append(row)
        print(f"{name}: {row['seconds']:.1f} s", flush=True)
        return result

    def __str__(self):
        frame = pd.DataFrame(self.rows).round({"seconds": 1, "peak GiB": 2})
        return frame.round(4).to_string(index=False, na_rep="")


def read(path):
    with np.load(path) as file:
        return sr.data.read_interactions(
            {name: file[name] for name in ("user", "item", "timestamp")}
        )


def sample(windows, rows, seed):
    if len(windows) <= rows:
        return windows
    chosen = np.random.default_rng(seed).choice(len(windows), rows, replace=False)
    return windows.subset(np.sort(chosen))


def build(split, arguments):
    model = sr.NextItNet(split.num_items, num_blocks=arguments.num_blocks)
    model.compile(loss=sr.losses.SampledSoftmax(arguments.negatives))
    return model


def train(model, split, arguments):
    batches = split.train.batches(arguments.batch_size, seed=arguments.seed)
    whole, rest = divmod(arguments.steps, batches.num_batches)
    if whole:
        model.fit(batches, epochs=whole, verbose=2)
    if rest:
        model.fit(
            batches,
            initial_epoch=whole,
            epochs=whole + 1,
            steps_per_epoch=rest,
            verbose=2,
        )


def evaluate(model, rows):
    return model.evaluate(
        rows.batches(256, evaluation=True), verbose=0, return_dict=True
    )


if __name__ == "__main__":
    main()
