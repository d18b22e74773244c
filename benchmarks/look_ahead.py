"""Does the autopilot that looks ahead find the right depth, and what does it cost?

    python benchmarks/look_ahead.py --job flat --seeds 0 1 2 --jit
    python benchmarks/look_ahead.py --job nextitnet --rates 0.002 0.004 --jit
    python benchmarks/look_ahead.py --job nextitnet --arms split 2 16 --jit
    python benchmarks/look_ahead.py --table

A job is a model, its rows and a grid of depths. Each fixed depth is trained from
scratch for the same number of epochs, with a learning rate that falls over the last
fifth of the steps. The other arms are one run each: they start at the least depth of
the grid, have the same number of epochs and the same rate, and may grow to the greatest
depth. Each model keeps the weights of its best epoch by validation loss, and is tested
with these. The arms:

- `plateau`: `StackingSchedule.plateau`
- `closed`, `split`, `open`: `StackingSchedule.look_ahead`, with growth by copies with
  closed gates, by `split`, and by copies with all gates and the optimizer reset.
  The first two carry the optimizer's state over.
- `closed, reset` (the library's default) and `split, reset`: the same with a reset

Jobs on MovieLens-1M: `nextitnet`, `sasrec`, `hstu`. In `walks`, a synthetic log, each
doubling of the depth pays. In `flat`, another one, the next item depends only on the
last one, so that depth cannot pay.

A finished run becomes a row of the results file, and is not run again. In the table,
each arm has the rate with the best mean validation loss. The regret is the loss in
NDCG@10 against the best fixed depth. The cost is the arm's training time as a fraction
of that of all fixed depths together, where each epoch counts with the shortest time of
an epoch at its depth, over all runs of the job.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import keras
from results_file import append, rows_in

import stackrec_keras as sr

RESULTS = Path(__file__).parent / "results" / "look_ahead.csv"
MONITOR = "val_loss"
KEY = ("job", "arm", "rate", "epochs", "seed")


@dataclass(frozen=True)
class Job:
    """A log (a function, or `None` for MovieLens-1M), a model, and how to train it."""

    model: str
    length: int
    batch_size: int
    epochs: int
    depths: tuple
    options: dict = field(default_factory=dict)
    log: Callable | None = None
    trial_epochs: int = 1


_NARROW = {"kernel_size": 2, "dilations": [1]}
JOBS = {
    "flat": Job(
        *("NextItNet", 31, 64, 20, (1, 2, 4, 8)),
        options=_NARROW,
        log=partial(sr.data.synthetic, num_items=60, num_classes=1),
        trial_epochs=2,
    ),
    "walks": Job(
        *("NextItNet", 42, 32, 20, (1, 2, 4, 8, 16)),
        options={**_NARROW, "embedding_dim": 32},
        log=sr.data.synthetic_walks,
    ),
    "nextitnet": Job(
        *("NextItNet", 21, 128, 16, (2, 4, 8, 16)), options={"embedding_dim": 32}
    ),
    "sasrec": Job(
        *("SASRec", 50, 128, 16, (2, 4, 8, 16)),
        options={"max_length": 49, "norm": "pre", "dropout": 0.2},
        trial_epochs=2,
    ),
    "hstu": Job(
        *("HSTU", 50, 128, 16, (2, 4, 8, 16)),
        options={"max_length": 49, "rezero": True, "dropout": 0.2, "time_bias": False},
        trial_epochs=2,
    ),
}
_CLOSED = {"method": "stackC", "optimizer_state": "carry"}
_SPLIT = {"method": "split", "optimizer_state": "carry"}
_OPEN = {"method": "stackC", "inherit": "all_but_gates", "optimizer_state": "reset"}
ARMS = {
    "plateau": ("plateau", _CLOSED),
    "closed": ("look_ahead", _CLOSED),
    "split": ("look_ahead", _SPLIT),
    "closed, reset": ("look_ahead", {"method": "stackC"}),
    "split, reset": ("look_ahead", {"method": "split"}),
    "open": ("look_ahead", _OPEN),
}


def main():
    arguments = parsed()
    if arguments.table:
        print(table(rows_in(arguments.results)))
        return
    job = JOBS[arguments.job]
    epochs = arguments.epochs or job.epochs
    split = None
    for rate in arguments.rates:
        for seed in arguments.seeds:
            for arm in arguments.arms or [*map(str, job.depths), *ARMS]:
                key = (arguments.job, arm, str(rate), str(epochs), str(seed))
                found = rows_in(arguments.results)
                if key in [tuple(row[column] for column in KEY) for row in found]:
                    continue
                split = split or rows_of(job)
                result = one(split, job, arm, rate, epochs, seed, arguments.jit)
                row = {**dict(zip(KEY, key)), **result}
                print(row, flush=True)
                append(arguments.results, row)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--job", choices=JOBS, default="nextitnet")
    parser.add_argument("--arms", nargs="+", help="depths, and names of arms")
    parser.add_argument("--rates", type=float, nargs="+", default=[0.003])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, help="default: the job's")
    parser.add_argument("--jit", action=argparse.BooleanOptionalAction, default=False)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="print the results")
    return parser.parse_args()


def rows_of(job):
    log = sr.data.load("ml-1m") if job.log is None else job.log()
    vocabulary = sr.data.Vocabulary.from_items(log["item"])
    return sr.data.split_random(sr.data.make_windows(log, vocabulary, job.length))


def one(split, job, arm, rate, epochs, seed, jit):
    keras.utils.set_random_seed(seed)
    blocks = job.depths[0] if arm in ARMS else int(arm)
    model = getattr(sr, job.model)(split.num_items, num_blocks=blocks, **job.options)
    rates = sr.schedules.WarmupStableDecay(rate, warmup=0.02, decay=0.2)
    model.compile(keras.optimizers.Adam(rates), jit_compile=jit or "auto")
    best = keras.callbacks.EarlyStopping(
        MONITOR, patience=epochs, restore_best_weights=True
    )
    clock = EpochTimes()
    history = model.fit(
        split.train.batches(job.batch_size, seed=seed),
        validation_data=split.validation.evaluation_arrays(),
        epochs=epochs,
        callbacks=[clock, best, *growing(job, arm)],
        verbose=0,
    ).history
    found = model.evaluate(
        *split.test.evaluation_arrays(), batch_size=1024, verbose=0, return_dict=True
    )
    return {
        "blocks": model.num_blocks,
        MONITOR: round(min(history[MONITOR]), 4),
        **{n: round(found[n], 5) for n in ("mrr@5", "hit_rate@10", "ndcg@10")},
        "depths": json.dumps(history.get("num_blocks", [blocks] * epochs)),
        "curve": json.dumps([round(value, 4) for value in history[MONITOR]]),
        "seconds": json.dumps([round(value, 2) for value in clock.seconds]),
        "split": split.hash,
        "backend": keras.backend.backend(),
    }


def growing(job, arm):
    if arm not in ARMS:
        return []
    schedule, growth = ARMS[arm]
    if schedule == "plateau":
        schedule = sr.StackingSchedule.plateau(MONITOR, 1, max_blocks=job.depths[-1])
    else:
        schedule = sr.StackingSchedule.look_ahead(
            MONITOR, 1, job.trial_epochs, max_blocks=job.depths[-1]
        )
    return [sr.StackingCallback(schedule=schedule, **growth)]


class EpochTimes(keras.callbacks.Callback):
    """Records the seconds of each epoch: its training and its validation."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


def table(rows):
    lines = [
        "| job | arm | rate | seeds | kept | NDCG@10 | MRR@5 | regret | cost |",
        "|" + "---|" * 9,
    ]
    for job in JOBS:
        lines += lines_of(job, [row for row in rows if row["job"] == job])
    return "\n".join(lines)


def lines_of(job, rows):
    """Returns the lines of a job in the table."""
    arms = {
        arm: at_best_rate(rows, arm) for arm in dict.fromkeys(r["arm"] for r in rows)
    }
    fixed = [arm for arm in arms if arm not in ARMS]
    epoch = epoch_seconds(rows)
    cost = {arm: mean(seconds(row, epoch) for row in arms[arm]) for arm in arms}
    whole = sum(cost[arm] for arm in fixed)
    best = max((mean_of(arms[arm], "ndcg@10") for arm in fixed), default=None)
    lines = []
    for arm, found in arms.items():
        ndcg = mean_of(found, "ndcg@10")
        regret = "" if best is None else f"{1 - ndcg / best:+.1%}"
        kept = ", ".join(row["blocks"] for row in found)
        lines.append(
            f"| {job} | {arm} | {found[0]['rate']} | {len(found)} | {kept} | "
            f"{ndcg:.4f} | {mean_of(found, 'mrr@5'):.4f} | {regret} | "
            f"{cost[arm] / whole:.2f} |"
        )
    return lines


def at_best_rate(rows, arm):
    """Returns an arm's rows at the rate with the best mean validation loss."""
    by_rate = {}
    for row in rows:
        if row["arm"] == arm:
            by_rate.setdefault(row["rate"], []).append(row)
    return min(by_rate.values(), key=lambda found: mean_of(found, MONITOR))


def epoch_seconds(rows):
    """Returns a dict from depth to the shortest time of an epoch. Other work on the
    machine lengthens the others."""
    times = {}
    for row in rows:
        # The first epoch at a depth includes compilation.
        depths, found = json.loads(row["depths"]), json.loads(row["seconds"])
        for before, depth, time_taken in zip(depths, depths[1:], found[1:]):
            if before == depth:
                times.setdefault(int(depth), []).append(time_taken)
    return {depth: min(found) for depth, found in times.items()}


def seconds(row, epoch):
    return sum(epoch[int(depth)] for depth in json.loads(row["depths"]))


def mean_of(rows, column):
    return mean(float(row[column]) for row in rows)


def mean(values):
    return statistics.mean(values)


if __name__ == "__main__":
    main()
