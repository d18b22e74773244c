"""What each stacking method does to a net that has learned something.

    python benchmarks/stacking_methods.py --seeds 0 1 2

MovieLens-1M, windows of 20 items, half of the training rows. NextItNet of 4 blocks
(dilations 1, 4) is trained for some epochs; each method then doubles it, from the same
weights and optimizer state, and the grown net is trained for one more epoch. The table
has the loss on held-out rows before the growth, at the moment of it, and after that
epoch, and says which method is the better default. `stackA, plain` is StackRec's
mapping, which moves kernels to another dilation; `stackA` keeps them at their own.
"""

import argparse
import os
import tempfile
from pathlib import Path

import keras
import pandas as pd

import stackrec_keras as sr

WIDTH, BATCH, RATE, LENGTH = 64, 128, 3e-3, 20

GROWTHS = {
    "none": None,
    "stackC": dict(method="stackC"),
    "stackC, all but gates": dict(method="stackC", inherit="all_but_gates"),
    "stackC, all but gates, optimizer anew": dict(
        method="stackC", inherit="all_but_gates", optimizer_state="reset"
    ),
    "stackA": dict(method="stackA"),
    "stackA, plain": dict(method="stackA", cycle=1),
    "stackR": dict(method="stackR"),
    "middle": dict(method="middle"),
    "split": dict(method="split"),
    "copyZero": dict(method="copyZero"),
    "appendZero": dict(method="appendZero"),
    "stackE": dict(method="stackE"),
    "stackC, as released": dict(method="stackC", inherit="paper"),
    "stackA, as released": dict(method="stackA", inherit="paper"),
    "stackR, as released": dict(method="stackR", inherit="paper"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=3, help="before the growth")
    parser.add_argument("--jit", action=argparse.BooleanOptionalAction, default=True)
    arguments = parser.parse_args()
    split = data()
    print(f"{split}\nkeras on {keras.backend.backend()}, {os.cpu_count()} cores")
    rows = []
    for seed in arguments.seeds:
        rows += one_seed(split, seed, arguments.epochs, arguments.jit)
        means = pd.DataFrame(rows).groupby("growth", sort=False).agg(["mean", "std"])
        print(f"after seed {seed}\n{means.round(4).to_string()}", flush=True)


def data():
    log = sr.data.load("ml-1m")
    vocabulary = sr.data.Vocabulary.from_items(log["item"])
    return sr.data.split_random(sr.data.make_windows(log, vocabulary, LENGTH))


def one_seed(split, seed, epochs, jit):
    keras.utils.set_random_seed(seed)
    shallow = sr.NextItNet(split.num_items, WIDTH, num_blocks=4)
    shallow.compile(keras.optimizers.Adam(RATE), jit_compile=jit)
    batches = split.train.subset(slice(None, None, 2)).batches(BATCH, seed=seed)
    shallow.fit(batches, epochs=epochs, verbose=0)
    before = evaluated(shallow, split)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shallow.keras"
        shallow.save(path)
        for name, growth in GROWTHS.items():
            model = keras.saving.load_model(path)
            model.compile(model.optimizer, jit_compile=jit)
            if growth is not None:
                model.grow(seed=seed, **growth)
            at_once = evaluated(model, split)
            model.fit(batches, initial_epoch=epochs, epochs=epochs + 1, verbose=0)
            after = evaluated(model, split)
            yield {
                "growth": name,
                "loss before": before["loss"],
                "at growth": at_once["loss"],
                "after an epoch": after["loss"],
                "mrr@5": after["mrr@5"],
                "hit_rate@10": after["hit_rate@10"],
            }


def evaluated(model, split):
    return model.evaluate(
        *split.test.evaluation_arrays(), batch_size=1024, verbose=0, return_dict=True
    )


if __name__ == "__main__":
    main()
