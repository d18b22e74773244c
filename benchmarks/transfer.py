"""Does what a net learned of one catalogue help it in another?

    python benchmarks/transfer.py --data DIR --seeds 0 1 2

Amazon Food -> Kitchen: DIR holds `food_pretrain.csv` (a row a user, item ids in order
of time) and `food_kitchen_finetune.csv` (`source ids,,target ids`). A NextItNet is
trained on the Food histories, growing once, and fine-tuned to the Kitchen items, the
whole of it at once or its new output table first; beside a net of the same depth that
is fine-tuned from nothing. All see the same split by user, and stop at their best
validation `mrr@5`; quality is that of the test users. Read the sampled columns beside
others of their kind alone.
"""

import argparse
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd

import stackrec_keras as sr

LENGTH = 50
METRICS = ["mrr@5", "hit_rate@5", "ndcg@10", "sampled_mrr@5", "sampled_hit_rate@5"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--blocks", type=int, nargs=2, default=[4, 8])
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--pretraining", type=int, default=10, help="epochs")
    parser.add_argument("--fine-tuning", type=int, default=10, help="epochs at most")
    parser.add_argument("--loss", default="full_softmax")
    arguments = parser.parse_args()
    windows, vocabulary = sr.data.read_sequences(
        arguments.data / "food_pretrain.csv", length=LENGTH
    )
    pairs = sr.data.read_transfer(
        arguments.data / "food_kitchen_finetune.csv", vocabulary, length=LENGTH
    )
    split = pairs.split()
    print(f"{split}\nkeras on {keras.backend.backend()}, {arguments}")
    rows = [popularity(split)]
    for seed in arguments.seeds:
        rows += one_seed(windows, split, seed, arguments)
        table = pd.DataFrame(rows)
        print(table.round(4).to_string(index=False), flush=True)
    means = table.drop(columns="seed").groupby("net", sort=False).agg(["mean", "std"])
    print(means.round(4).T.to_string())


def one_seed(windows, split, seed, arguments):
    shallow, deep = arguments.blocks
    source, seconds = pretrained(windows, seed, arguments)
    keras.utils.set_random_seed(seed)
    new = sr.NextItNet(split.num_items, arguments.dim, deep)
    yield fine_tuned("no pre-training", new, 0.0, split, seed, arguments)
    name = f"pre-trained, {shallow} -> {deep} blocks"
    yield fine_tuned(name, source, seconds, split, seed, arguments)
    freeze = [sr.FreezeStack(2)]
    yield fine_tuned(
        f"{name}, 2 epochs frozen", source, seconds, split, seed, arguments, freeze
    )


def pretrained(windows, seed, arguments):
    keras.utils.set_random_seed(seed)
    shallow, deep = arguments.blocks
    model = sr.NextItNet(windows.num_items, arguments.dim, shallow)
    model.compile(loss=sr.losses.SampledSoftmax(0.2))
    start = time.perf_counter()
    model.fit(
        windows.batches(128, seed=seed),
        epochs=arguments.pretraining,
        verbose=2,
        callbacks=[sr.StackingCallback("stackC", {arguments.pretraining // 2: deep})],
    )
    return model, time.perf_counter() - start


def fine_tuned(name, source, pretraining, split, seed, arguments, callbacks=()):
    model = sr.TransferRecommender(source, split.num_targets)
    model.compile(loss=arguments.loss, metrics=METRICS)
    best = keras.callbacks.EarlyStopping(
        "val_mrr@5", patience=2, mode="max", restore_best_weights=True
    )
    start = time.perf_counter()
    model.fit(
        split.train.batches(512, seed=seed),
        validation_data=split.validation.batches(512, evaluation=True),
        epochs=arguments.fine_tuning,
        verbose=2,
        callbacks=[*callbacks, best],
    )
    seconds = time.perf_counter() - start
    test = split.test.batches(512, evaluation=True)
    found = model.evaluate(test, verbose=0, return_dict=True)
    epochs = len(model.history.epoch)
    return row(name, seed, found, pretraining, seconds, epochs)


def popularity(split):
    counts = np.bincount(split.train.targets, minlength=split.num_targets + 1)
    metrics = sr.metrics.get(METRICS)
    targets = split.test.targets
    for rows in np.array_split(targets, 40):
        scores = np.broadcast_to(counts, (len(rows), len(counts))).astype("float32")
        for metric in metrics:
            metric.update_state(rows, scores)
    return row("popularity", -1, {m.name: float(m.result()) for m in metrics})


def row(name, seed, found, pretraining=0.0, seconds=0.0, epochs=0):
    return {
        "net": name,
        "seed": seed,
        "pre-training s": pretraining,
        "fine-tuning s": seconds,
        "epochs": epochs,
        **{metric: found[metric] for metric in METRICS},
    }


if __name__ == "__main__":
    main()
