"""What each stacking method does to a model that has learned something.

    python benchmarks/stacking_methods.py --seeds 0 1 2
    python benchmarks/stacking_methods.py --seeds 0 1 --length 50 --kernel-size 2 \\
        --dilations 1 --batch-size 64 --rows 1 --to 16 --more 2 --only none split \\
        "none, optimizer reset" stackC "stackC, optimizer reset" \\
        "stackC, all but gates" "stackC, all but gates, optimizer reset"

Trains a NextItNet of 4 blocks on MovieLens-1M for some epochs. Each method then grows
it from the same weights and optimizer state, and the grown model trains further. By
default, rows have 20 items, half of the training rows are used, dilations are 1 and 4,
the depth doubles, and training continues for one epoch. The table shows the loss on the
test rows before the growth step, right after it, and after the further training.
`stackA, plain` is StackRec's mapping, which moves kernels to another dilation; `stackA`
leaves each kernel at its own dilation.
"""

import argparse
import os
import tempfile
from pathlib import Path

import keras
import pandas as pd

import stackrec_keras as sr

WIDTH, RATE = 64, 3e-3

ANEW = "none, optimizer reset"

GROWTHS = {
    "none": None,
    ANEW: None,
    "stackC": dict(method="stackC"),
    "stackC, optimizer reset": dict(method="stackC", optimizer_state="reset"),
    "stackC, all but gates": dict(method="stackC", inherit="all_but_gates"),
    "stackC, all but gates, optimizer reset": dict(
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
    args = parsed()
    split = data(args.length)
    print(f"{split}\nkeras on {keras.backend.backend()}, {os.cpu_count()} cores")
    rows = []
    for seed in args.seeds:
        for row in one_seed(split, seed, args):
            print(seed, row, flush=True)
            rows.append(row)
        means = pd.DataFrame(rows).groupby("growth", sort=False).agg(["mean", "std"])
        print(f"means up to seed {seed}\n{means.round(4).to_string()}", flush=True)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=3, help="before growing")
    parser.add_argument("--more", type=int, default=1, help="epochs after growing")
    parser.add_argument("--to", type=int, default=8, help="blocks after growing")
    parser.add_argument("--only", nargs="+", choices=list(GROWTHS), default=GROWTHS)
    parser.add_argument("--rows", type=int, default=2, help="train on every n-th row")
    parser.add_argument("--length", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--kernel-size", type=int, default=3)
    parser.add_argument("--dilations", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--jit", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def data(length):
    log = sr.data.load("ml-1m")
    vocabulary = sr.data.Vocabulary.from_items(log["item"])
    return sr.data.split_random(sr.data.make_windows(log, vocabulary, length))


def one_seed(split, seed, args):
    keras.utils.set_random_seed(seed)
    shallow = sr.NextItNet(
        split.num_items,
        WIDTH,
        num_blocks=4,
        kernel_size=args.kernel_size,
        dilations=args.dilations,
    )
    shallow.compile(keras.optimizers.Adam(RATE), jit_compile=args.jit)
    rows = split.train.subset(slice(None, None, args.rows))
    batches = rows.batches(args.batch_size, seed=seed)
    shallow.fit(batches, epochs=args.epochs, verbose=0)
    before = evaluated(shallow, split)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shallow.keras"
        shallow.save(path)
        for name in args.only:
            model = keras.saving.load_model(path)
            model.compile(model.optimizer, jit_compile=args.jit)
            grow(model, name, args.to, seed)
            at_once = evaluated(model, split)
            until = args.epochs + args.more
            model.fit(batches, initial_epoch=args.epochs, epochs=until, verbose=0)
            after = evaluated(model, split)
            yield {
                "growth": name,
                "loss before": before["loss"],
                "at growth": at_once["loss"],
                "after": after["loss"],
                "mrr@5": after["mrr@5"],
                "hit_rate@10": after["hit_rate@10"],
            }


def grow(model, name, num_blocks, seed):
    growth = GROWTHS[name]
    if growth is not None:
        growth = {"optimizer_state": "carry", **growth}
        model.grow(num_blocks=num_blocks, seed=seed, **growth)
    elif name == ANEW:
        model.compile(keras.optimizers.Adam(RATE), jit_compile=model.jit_compile)


def evaluated(model, split):
    return model.evaluate(
        *split.test.evaluation_arrays(), batch_size=1024, verbose=0, return_dict=True
    )


if __name__ == "__main__":
    main()
