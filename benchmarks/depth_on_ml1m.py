"""Does depth pay on MovieLens-1M, and is growing to it faster than starting there?

    python benchmarks/depth_on_ml1m.py --seeds 0 1

The main job of the README (NextItNet, 4 -> 8 -> 16 blocks in one fit) beside the net
that it began as, trained on for the same wall-clock, and beside 16 blocks from scratch
for as many epochs. All three see the same split; quality is that of the test rows.
"""

import argparse
import os
import time

import keras
import numpy as np
import pandas as pd

import stackrec_keras as sr

MAIN_JOB = dict(embedding_dim=64, kernel_size=2, dilations=(1,))
LENGTH, BATCH, RATE = 50, 64, 3e-3


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--jit", action=argparse.BooleanOptionalAction, default=True)
    arguments = parser.parse_args()
    split = data()
    print(f"{split}\nkeras on {keras.backend.backend()}, {os.cpu_count()} cores")
    rows = [popularity(split)]
    for seed in arguments.seeds:
        rows += one_seed(split, seed, arguments.epochs, arguments.jit)
        table = pd.DataFrame(rows)
        print(table.round(4).to_string(index=False), flush=True)
    means = table.drop(columns="seed").groupby("net", sort=False).agg(["mean", "std"])
    print(means.round(4).to_string())


def data():
    log = sr.data.load("ml-1m")
    vocabulary = sr.data.Vocabulary.from_items(log["item"])
    return sr.data.split_random(sr.data.make_windows(log, vocabulary, LENGTH))


def one_seed(split, seed, epochs, jit):
    grown, seconds = train(
        split, seed, 4, epochs, jit, callbacks=[sr.StackingCallback("stackC")]
    )
    yield result("4 -> 8 -> 16 blocks, grown", seed, grown, seconds, split)
    shallow, taken = train(split, seed, 4, 1000, jit, callbacks=[StopAfter(seconds)])
    yield result("4 blocks, as long", seed, shallow, taken, split)
    deep, taken = train(split, seed, 16, epochs, jit)
    yield result("16 blocks from scratch", seed, deep, taken, split)


def train(split, seed, num_blocks, epochs, jit, callbacks=()):
    keras.utils.set_random_seed(seed)
    model = sr.NextItNet(split.num_items, num_blocks=num_blocks, **MAIN_JOB)
    model.compile(keras.optimizers.Adam(RATE), jit_compile=jit)
    start = time.perf_counter()
    model.fit(
        split.train.batches(BATCH, seed=seed),
        validation_data=split.validation.evaluation_arrays(),
        validation_batch_size=1024,
        epochs=epochs,
        callbacks=list(callbacks),
        verbose=2,
    )
    return model, time.perf_counter() - start


class StopAfter(keras.callbacks.Callback):
    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds

    def on_train_begin(self, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        if time.perf_counter() - self.start > self.seconds:
            self.model.stop_training = True


def result(name, seed, model, seconds, split):
    found = model.evaluate(
        *split.test.evaluation_arrays(), batch_size=1024, verbose=0, return_dict=True
    )
    epochs = len(model.history.epoch)
    return row(name, seed, found, seconds=seconds, epochs=epochs)


def popularity(split):
    counts = np.bincount(split.train.items.ravel(), minlength=split.num_items + 1)
    metrics = sr.metrics.default_metrics()
    targets = split.test.last_item
    scores = np.broadcast_to(counts, (len(targets), len(counts))).astype("float32")
    for metric in metrics:
        metric.update_state(targets, scores)
    return row("popularity", -1, {m.name: float(m.result()) for m in metrics})


def row(name, seed, found, seconds=0.0, epochs=0):
    names = ("mrr@5", "hit_rate@10", "ndcg@10")
    return {
        "net": name,
        "seed": seed,
        "epochs": epochs,
        "seconds": seconds,
        **{n: found[n] for n in names},
    }


if __name__ == "__main__":
    main()
