"""How long do recommendations from a large catalogue take, and how much memory?

    KERAS_BACKEND=jax python benchmarks/recommend_speed.py --items 1000000

An untrained NextItNet recommends 10 items for each of many random histories of 20
items. It does so twice: only the first measured time includes compilation. The script
prints one line. Run it separately for each backend and size, because peak memory is
measured for the whole process.
"""

import argparse
import time

import keras
import numpy as np
from peak_memory import peak_bytes

import stackrec_keras as sr


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--length", type=int, default=20, help="items per history")
    parser.add_argument("--dim", type=int, default=64, help="width of the embeddings")
    parser.add_argument("--num-blocks", type=int, default=8)
    parser.add_argument("--k", type=int, default=10)
    arguments = parser.parse_args()
    model = sr.NextItNet(arguments.items, arguments.dim, arguments.num_blocks)
    shape = (arguments.histories, arguments.length)
    x = np.random.default_rng(0).integers(1, arguments.items + 1, shape)
    before = peak_bytes() / 2**30
    first = seconds(lambda: model.recommend(x, arguments.k))
    again = seconds(lambda: model.recommend(x, arguments.k))
    print(
        f"{keras.backend.backend()}, {arguments.items:,} items, "
        f"{arguments.histories:,} histories: {first:.1f} s, then {again:.1f} s; "
        f"peak memory {before:.2f} GiB before, {peak_bytes() / 2**30:.2f} GiB after"
    )


def seconds(step):
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
