"""Time and memory from raw arrays to training windows, on a large skewed log.

    python benchmarks/windows_speed.py [--rows 20000000] [--ids int|str]

Rows come in random order, users and items with Zipf-like popularity. Each step is timed
separately; memory is the peak of the process up to the end of the step.

On 2 CPU cores (2026-11-23, numpy 2.4, pandas 3.1): 11.0 s (7.6 s for the sort) and 2.1
GB; 1.3 s if the rows are already sorted (--sorted); 8.9 s and 2.6 GB with string item
ids (--ids str).
"""

import argparse
import time

import numpy as np
import pandas as pd
from peak_memory import peak_bytes

from stackrec_keras.data import Vocabulary, make_windows, read_interactions


def main():
    arguments = parse_arguments()
    raw = skewed_log(arguments.rows, arguments.users, arguments.items)
    if arguments.ids == "str":
        raw["item"] = pd.Series(raw["item"]).astype("str")
    if arguments.sorted:
        raw = read_interactions(raw)
    print(f"{arguments.rows:,} rows, {arguments.ids} item ids, windows of 20")
    print(f"{'step':<22}{'seconds':>9}{'peak GB':>9}")
    print(f"{'(the raw arrays)':<22}{'':>9}{peak_bytes() / 1e9:>9.2f}")
    total = time.perf_counter()
    log = timed("sorted log", read_interactions, raw)
    vocabulary = timed("vocabulary", Vocabulary.from_items, log["item"])
    windows = timed("windows", make_windows, log, vocabulary, 20)
    show("all", time.perf_counter() - total)
    print(f"{len(windows):,} windows, {len(vocabulary):,} items")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--users", type=int, default=500_000)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--ids", choices=["int", "str"], default="int")
    parser.add_argument(
        "--sorted", action="store_true", help="sort the rows before the measurement"
    )
    return parser.parse_args()


def skewed_log(rows, users, items):
    rng = np.random.default_rng(0)
    return {
        "user": skewed_ids(rng, rows, users),
        "item": skewed_ids(rng, rows, items),
        "timestamp": rng.integers(1_500_000_000, 1_700_000_000, rows),
    }


def skewed_ids(rng, rows, size):
    """Draws ids. The k-th most frequent id is drawn in proportion to `1 / k`."""
    ranks = np.exp(rng.random(rows) * np.log(size)).astype(np.int64)
    return rng.permutation(size * 3)[:size][ranks - 1]


def timed(name, step, *arguments):
    begin = time.perf_counter()
    result = step(*arguments)
    show(name, time.perf_counter() - begin)
    return result


def show(name, seconds):
    print(f"{name:<22}{seconds:>9.1f}{peak_bytes() / 1e9:>9.2f}", flush=True)


if __name__ == "__main__":
    main()
