"""Can a deep SASRec be trained, from scratch or by growing?

    python benchmarks/sasrec_depth.py --depths 8 16 32 --seeds 0

MovieLens-1M, leave-one-out per user, all items ranked. For each depth, the script
trains two models for the same number of epochs: one from scratch, and one that starts
with a quarter of the blocks and grows within its `fit`. `--plain` adds models whose
blocks have no gates. With `--loss sampled_softmax`, the models without gates are like
the deep SASRecs that are known to collapse.
"""

import argparse
import os
import time

import keras
import pandas as pd

import stackrec_keras as sr

LENGTH, BATCH, RATE = 50, 128, 1e-3


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--depths", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--method", default="stackC")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--loss", default="full_softmax")
    parser.add_argument("--jit", action=argparse.BooleanOptionalAction, default=True)
    arguments = parser.parse_args()
    split = data()
    print(f"{split}\nkeras on {keras.backend.backend()}, {os.cpu_count()} cores")
    rows = []
    for depth in arguments.depths:
        for seed in arguments.seeds:
            for name, start, rezero in nets(depth, arguments.plain):
                rows.append(one(split, name, start, depth, rezero, seed, arguments))
                print(pd.DataFrame(rows).round(4).to_string(index=False), flush=True)


def nets(depth, plain):
    """Yields a name, the blocks at the start, and whether they have gates."""
    yield "from scratch", depth, True
    yield "grown", depth // 4, True
    if plain:
        yield "from scratch, no gates", depth, False


def data():
    log = sr.data.load("ml-1m")
    vocabulary = sr.data.Vocabulary.from_items(log["item"])
    return sr.data.split_leave_one_out(log, vocabulary, LENGTH)


def one(split, name, start, depth, rezero, seed, arguments):
    keras.utils.set_random_seed(seed)
    model = sr.SASRec(split.num_items, LENGTH - 1, num_blocks=start, rezero=rezero)
    model.compile(
        keras.optimizers.Adam(RATE), arguments.loss, jit_compile=arguments.jit
    )
    growing = sr.StackingCallback(arguments.method, optimizer_state="carry")
    grows = [growing] if start < depth else []
    begin = time.perf_counter()
    history = model.fit(
        split.train.batches(BATCH, seed=seed),
        epochs=arguments.epochs,
        callbacks=grows,
        verbose=2,
    ).history
    seconds = time.perf_counter() - begin
    found = model.evaluate(
        *split.test.evaluation_arrays(), batch_size=1024, verbose=0, return_dict=True
    )
    return {
        "blocks": model.num_blocks,
        "net": name,
        "seed": seed,
        "seconds": seconds,
        "loss": history["loss"][-1],
        **{n: found[n] for n in ("mrr@5", "hit_rate@10", "ndcg@10")},
    }


if __name__ == "__main__":
    main()
