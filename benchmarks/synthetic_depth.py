"""Shows that depth pays on the log of `sr.data.synthetic_walks`.

    KERAS_BACKEND=tensorflow python benchmarks/synthetic_depth.py --rates 0.005 0.01
    python benchmarks/synthetic_depth.py --table

NextItNets of 1, 2, 4, 8 and 16 blocks are trained from scratch for the same number of
steps. The table shows each depth at the rate with the lowest final validation loss,
beside the best that a model of that depth can do. `--grow 2 16` adds a model that grows
from 2 to 16 blocks at each of the fractions `--at` of the epochs, in three ways: the
new blocks start with closed gates; all gates close, and the optimizer is new; or the
new blocks start with the gates of their sources.

In each run, the learning rate rises over the first 5% of the steps and falls to 0 over
the last 30%. Training is measured in processor seconds, on one thread, which other
programs on the machine hardly change. An epoch counts as the median of the epochs of
that depth from scratch, so compilation is left out. A finished run becomes a row of the
results file, and is not run again.
"""

import argparse
import json
import math
import os
import statistics
import time
from datetime import date
from pathlib import Path

import keras
import numpy as np
from results_file import append, rows_in

import stackrec_keras as sr
from stackrec_keras.stacking.growth import block_stacks

RESULTS = Path(__file__).parent / "results" / "synthetic_depth.csv"
KEY = ("arm", "start", "blocks", "at", "rate", "epochs", "seed")
MAX_MOVES, PLACES = 40, 8
REACH = 3  # a block of kernel size 2 and dilation 1 sees 1 + 2 items further back
METRICS = ("hit_rate@1", "mrr@5")
GROWN = {
    "new gates closed": {"optimizer_state": "carry"},
    "all gates closed": {"inherit": "all_but_gates", "optimizer_state": "reset"},
    "gates copied": {"optimizer_state": "carry"},
}


def main(argv=None):
    arguments = parsed(argv)
    if arguments.table:
        print(table(arguments.results))
        return
    log = sr.data.synthetic_walks(arguments.users, PLACES, max_moves=MAX_MOVES)
    vocabulary = sr.data.Vocabulary.from_items(log["item"])
    split = sr.data.split_random(sr.data.make_windows(log, vocabulary, MAX_MOVES + 2))
    done = {key_in(row) for row in rows_in(arguments.results)}
    for key in runs(arguments):
        if key in done:
            continue
        row = dict(zip(KEY, key)) | run(split, *key)
        append(arguments.results, row)
        print(key, {name: row[name] for name in METRICS}, flush=True)


def parsed(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--blocks", type=int, nargs="*", default=[1, 2, 4, 8, 16])
    parser.add_argument("--grow", type=int, nargs=2, metavar=("FROM", "TO"))
    parser.add_argument("--at", type=float, nargs="+", default=[0.5])
    parser.add_argument("--rates", type=float, nargs="+", default=[0.01])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="print the results")
    return parser.parse_args(argv)


def runs(arguments):
    """Yields the key of each run that was asked for."""
    for seed in arguments.seeds:
        for rate in arguments.rates:
            tail = (rate, arguments.epochs, seed)
            for blocks in arguments.blocks:
                yield ("scratch", blocks, blocks, 0.0, *tail)
            if arguments.grow:
                for at in arguments.at:
                    for arm in GROWN:
                        yield (arm, *arguments.grow, at, *tail)


def run(split, arm, start, blocks, at, rate, epochs, seed):
    """Trains a model. Returns the columns of its results."""
    keras.utils.set_random_seed(seed)
    model = sr.NextItNet(
        split.num_items,
        embedding_dim=32,
        num_blocks=start,
        kernel_size=2,
        dilations=(1,),
    )
    model.compile(
        keras.optimizers.Adam(
            sr.schedules.WarmupStableDecay(rate, warmup=0.05, decay=0.3)
        ),
        metrics=[sr.metrics.HitRate(1), sr.metrics.MRR(5)],
        exclude_seen=False,
        jit_compile=True,
    )
    seconds = ProcessorSeconds()
    callbacks = [seconds]
    if arm != "scratch":
        when = round(at * epochs)
        growth = sr.StackingCallback("stackC", {when: blocks}, seed=seed, **GROWN[arm])
        callbacks.append(growth)
        if arm == "gates copied":
            callbacks.append(CopiedGates(when, start))
    history = model.fit(
        split.train.batches(32, seed=seed),
        validation_data=split.validation.batches(512, evaluation=True),
        epochs=epochs,
        callbacks=callbacks,
        verbose=0,
    ).history
    found = model.evaluate(
        *split.test.evaluation_arrays(), batch_size=512, verbose=0, return_dict=True
    )
    curves = {
        name: [round(value, 4) for value in history[name]]
        for name in ("loss", "val_loss", "val_hit_rate@1")
    }
    return {
        **{name: round(found[name], 4) for name in METRICS},
        "val_loss": curves["val_loss"][-1],
        "curves": json.dumps(curves | {"seconds": seconds.epochs}),
        "split": split.hash,
        "backend": keras.backend.backend(),
        "threads": os.environ.get("OMP_NUM_THREADS", os.cpu_count()),
        "stackrec_keras": sr.__version__,
        "date": date.today().isoformat(),
    }


class ProcessorSeconds(keras.callbacks.Callback):
    """Records the processor seconds of each epoch, with its validation."""

    def __init__(self):
        super().__init__()
        self.epochs = []

    def on_epoch_begin(self, epoch, logs=None):
        self.begin = time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(round(time.process_time() - self.begin, 2))


class CopiedGates(keras.callbacks.Callback):
    """Gives the blocks that `stackC` added the gates of their sources."""

    def __init__(self, when, start):
        super().__init__()
        self.when = when
        self.start = start

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.when:
            for stack in block_stacks(self.model):
                gates = keras.ops.convert_to_numpy(stack.gate)
                stack.gate.assign(np.resize(gates[: self.start], gates.shape))


def table(results):
    """Returns the Markdown table, and a line for each pair of depths with its growth
    bound. Each arm is shown at its best rate."""
    rows = rows_in(results)
    longest = max(int(row["epochs"]) for row in rows)
    groups = {}
    for row in rows:
        if int(row["epochs"]) == longest:
            arm = (row["arm"], int(row["start"]), int(row["blocks"]), float(row["at"]))
            groups.setdefault(arm, []).append(row)
    best = {arm: best_rate(found) for arm, found in sorted(groups.items(), key=order)}
    cost = {arm[2]: epoch_seconds(best[arm]) for arm in best if arm[0] == "scratch"}
    lines = [
        "| model | rate | seeds | best possible HR@1 | HR@1 | best possible MRR@5 "
        "| MRR@5 | validation loss | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for arm, found in best.items():
        moves = REACH * arm[2]
        cells = [
            named(arm, longest),
            f"{float(found[0]['rate']):g}",
            len(found),
            f"{limit(moves, [1]):.3f}",
            spread(found, "hit_rate@1"),
            f"{limit(moves, [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]):.3f}",
            spread(found, "mrr@5"),
            spread(found, "val_loss"),
            f"{clock(arm, longest, cost)[-1]:.0f}",
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    lines += [""] + list(bound_lines(best, longest, cost))
    return "\n".join(lines)


def order(group):
    (arm, start, blocks, at), _ = group
    return arm != "scratch", start, blocks, at, arm


def named(arm, epochs):
    name, start, blocks, at = arm
    if name == "scratch":
        return f"{blocks} block{'s' * (blocks > 1)}"
    when = round(at * epochs)
    return f"{start} -> {blocks} after {when} epoch{'s' * (when > 1)}, {name}"


def limit(moves, values):
    """Returns the best possible mean of a metric for a model that applies at most
    `moves` moves. `values` holds the metric's value at each rank."""
    sure = min(1, math.log(moves + 1) / math.log(MAX_MOVES + 1))
    return sure + (1 - sure) * sum(values) / PLACES


def best_rate(rows):
    """Returns the rows at the rate with the lowest mean validation loss."""
    rates = dict.fromkeys(row["rate"] for row in rows)
    groups = [[row for row in rows if row["rate"] == rate] for rate in rates]
    return min(groups, key=lambda group: mean(group, "val_loss"))


def epoch_seconds(rows):
    return statistics.median(
        seconds for row in rows for seconds in curves_of(row)["seconds"][1:]
    )


def clock(arm, epochs, cost):
    """Returns the seconds from the start of training to the end of each epoch."""
    _, start, blocks, at = arm
    grown_at = round(at * epochs)
    depths = [start] * grown_at + [blocks] * (epochs - grown_at)
    return np.cumsum([cost[depth] for depth in depths])


def bound_lines(best, epochs, cost):
    curves = {
        arm[2]: {
            "val_loss": np.mean([curves_of(row)["val_loss"] for row in found], axis=0),
            "seconds": clock(arm, epochs, cost),
        }
        for arm, found in best.items()
        if arm[0] == "scratch"
    }
    for deep in curves:
        for shallow in curves:
            if shallow < deep:
                bound = sr.stacking.growth_bound(curves[shallow], curves[deep])
                yield f"Growth bound, {shallow} -> {deep} blocks: {bound:.2f}"


def mean(rows, column):
    return statistics.mean(float(row[column]) for row in rows)


def spread(rows, column):
    text = f"{mean(rows, column):.3f}"
    if len(rows) == 1:
        return text
    return f"{text} ± {statistics.stdev(float(row[column]) for row in rows):.3f}"


def curves_of(row):
    return json.loads(row["curves"])


def key_in(row):
    kinds = (str, int, int, float, float, int, int)
    return tuple(kind(row[column]) for kind, column in zip(kinds, KEY))


if __name__ == "__main__":
    main()
