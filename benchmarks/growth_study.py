"""Compares ways to grow a model on MovieLens-1M, at several learning rates and seeds.

    python benchmarks/growth_study.py --list
    python benchmarks/growth_study.py --job sasrec --rates 0.001 0.003 --seeds 0 1 2
    python benchmarks/growth_study.py --job sasrec --halving 3 6 12 --rates 0.003
    python benchmarks/growth_study.py --job globo --data globo_clicks.npz --epochs 16
    python benchmarks/growth_study.py --job sasrec --times
    python benchmarks/growth_study.py --job sasrec --table

A job is a model with two depths, shallow and deep. An arm is a way to train it. All
arms of a job take the same number of steps, and see the same rows in the same order. On
a large log, an epoch is only a part of a pass over the rows. In each arm, the learning
rate rises over the first 2% of the steps and falls to 0 over the last 20%. `scratch`
trains the deep model from scratch, and `shallow` trains the shallow model without
growing it. The other arms grow the shallow model once, in different ways.

A finished run becomes a row of the results file with its whole curve, and is not run
again. So a study may be interrupted, and several processes may share it. Training is
measured in steps, which a busy machine does not affect. `--times` measures the seconds
per step, alternating between the two depths, and needs a quiet machine.
`--halving 3 6 12` trains all arms for 3 epochs, then `scratch`, `shallow` and the
better half of the other arms for 6, and so on. `--table` shows each arm at the rate
with the lowest final validation loss.
"""

import argparse
import json
import os
import statistics
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import keras
import numpy as np
from results_file import append, rows_in

import stackrec_keras as sr
from stackrec_keras.models.registry import model_class
from stackrec_keras.stacking.growth import block_stacks
from stackrec_keras.stacking.in_place import changing_shapes
from stackrec_keras.stacking.optimizer_state import reset_state

RESULTS = Path(__file__).parent / "results" / "growth_study.csv"
TIMES = Path(__file__).parent / "results" / "growth_study_times.csv"
KEY = ("job", "arm", "rate", "epochs", "seed")


@dataclass(frozen=True)
class Job:
    """A model, its two depths and its rows.

    Args:
        model: String, the name of an architecture.
        shallow: Integer, the depth before the growth step.
        deep: Integer, the depth after the growth step.
        arguments: Dict of the model's other arguments.
        length: Integer, items per row. Defaults to `51`.
        batch_size: Integer. Defaults to `128`.
        negatives: Integer, the negatives of the sampled softmax, shared by a batch.
            Defaults to `None`, the full softmax.
        parts: Integer, the epochs that a pass over the training rows takes. Defaults to
            `1`.
        validation_rows: Integer, how many rows validate. Defaults to `None`, all.
    """

    model: str
    shallow: int
    deep: int
    arguments: dict = field(default_factory=dict)
    length: int = 51
    batch_size: int = 128
    negatives: int | None = None
    parts: int = 1
    validation_rows: int | None = None


@dataclass(frozen=True)
class Arm:
    """How a model grows.

    Args:
        method: String, or `None` for a model that does not grow.
        at: Float, the fraction of the epochs before the growth step. Defaults to
            `0.67`.
        inherit: As in `StackingCallback`. Defaults to `"all"`.
        optimizer_state: As in `StackingCallback`. Without a method, `"reset"` resets
            the state after the same epochs. Defaults to `"carry"`.
        shrink: Float, the factor by which all weights except norms and gates are
            multiplied after the growth step. Defaults to `1.0`.
        noise: Float, the standard deviation of the noise that is then added to these
            weights, as a multiple of each variable's standard deviation. Defaults to
            `0.0`.
        new_gates: Float, the initial gates of new blocks. Defaults to `None`, the
            values that the method gives them.
        deep: Boolean, whether the model is deep from the start. Defaults to `False`.
    """

    method: str | None = None
    at: float = 0.67
    inherit: str = "all"
    optimizer_state: str = "carry"
    shrink: float = 1.0
    noise: float = 0.0
    new_gates: float | None = None
    deep: bool = False


_PRE_NORM = {"norm": "pre", "dropout": 0.2}
_GATED = {"rezero": True, "dropout": 0.2}
JOBS = {
    "nextitnet": Job("nextitnet", 4, 32),
    "nextitnet, narrow": Job("nextitnet", 2, 16, {"embedding_dim": 32}, 21),
    # One or two passes over three million clicks.
    "globo": Job(
        "nextitnet",
        *(2, 16, {"embedding_dim": 32}),
        length=21,
        batch_size=256,
        negatives=512,
        parts=8,
        validation_rows=4000,
    ),
    "sasrec": Job("sasrec", 2, 16, _PRE_NORM),
    "sasrec, narrow": Job("sasrec", 2, 16, {**_PRE_NORM, "embedding_dim": 32}, 21),
    "esasrec": Job("esasrec", 2, 8, _GATED),
    "hstu": Job("hstu", 2, 8, _GATED),
    # Seconds instead of minutes, to try the script.
    "tiny": Job("sasrec", 1, 2, {"norm": "pre", "embedding_dim": 4}, 6),
}
ARMS = {
    "scratch": Arm(deep=True),
    "scratch, reset": Arm(deep=True, at=0.25, optimizer_state="reset"),
    "shallow": Arm(),
    "stackC": Arm("stackC"),
    "stackA": Arm("stackA"),
    "stackR": Arm("stackR"),
    "stackE": Arm("stackE"),
    "split": Arm("split"),
    "split early": Arm("split", at=0.25),
    "early": Arm("stackC", at=0.25),
    "early, reset": Arm("stackC", at=0.25, optimizer_state="reset"),
    "split early, reset": Arm("split", at=0.25, optimizer_state="reset"),
    "late": Arm("stackC", at=0.8),
    "reset": Arm("stackC", optimizer_state="reset"),
    "gates reset": Arm("stackC", inherit="all_but_gates", optimizer_state="reset"),
    "gates reset early": Arm(
        "stackC", at=0.25, inherit="all_but_gates", optimizer_state="reset"
    ),
    "gates .1": Arm("stackC", new_gates=0.1),
    "random, gates .1": Arm("stackR", new_gates=0.1),
    "shrink": Arm("stackC", optimizer_state="reset", shrink=0.5, noise=0.1),
    "shrink, gates .1": Arm(
        "stackC", optimizer_state="reset", shrink=0.5, noise=0.1, new_gates=0.1
    ),
    "shrink a little": Arm(
        "stackC", optimizer_state="reset", shrink=0.8, noise=0.05, new_gates=0.1
    ),
}


def main(argv=None):
    arguments = parsed(argv)
    job = JOBS[arguments.job]
    if arguments.list:
        for name, arm in ARMS.items():
            print(f"{name:18} {arm}")
    elif arguments.table:
        print(table(arguments.job, arguments.results, arguments.times_file))
    elif arguments.times:
        append(arguments.times_file, epoch_seconds(arguments.job, job))
    else:
        study(arguments, job)


def parsed(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--job", choices=tuple(JOBS), default="sasrec")
    parser.add_argument("--arms", nargs="+", choices=tuple(ARMS), default=list(ARMS))
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-3])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--halving", type=int, nargs="+", help="epochs of each round")
    parser.add_argument("--data", help="a log in place of MovieLens-1M")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--times-file", type=Path, default=TIMES)
    parser.add_argument("--list", action="store_true", help="list the arms")
    parser.add_argument("--times", action="store_true", help="time both depths")
    parser.add_argument("--table", action="store_true", help="print the results")
    return parser.parse_args(argv)


def study(arguments, job):
    split = read_split(job, arguments.data)
    arms = arguments.arms
    for epochs in arguments.halving or [arguments.epochs]:
        for name in arms:
            for rate in arguments.rates:
                for seed in arguments.seeds:
                    key = (arguments.job, name, rate, epochs, seed)
                    if key in map(key_in, rows_in(arguments.results)):
                        continue
                    curves = train(split, job, ARMS[name], rate, epochs, seed)
                    row = dict(zip(KEY, key)) | described(curves, split)
                    append(arguments.results, row)
                    print(f"{key}: {row['val_loss']}", flush=True)
        arms = better_half(arguments, arms, epochs)


def read_split(job, data):
    log = read_log(data)
    vocabulary = sr.data.Vocabulary.from_items(log["item"])
    return sr.data.split_random(sr.data.make_windows(log, vocabulary, job.length))


def read_log(data):
    if data is None:
        return sr.data.load("ml-1m")
    if not data.endswith(".npz"):
        return sr.data.read_interactions(data)
    with np.load(data) as file:
        columns = {name: file[name] for name in ("user", "item", "timestamp")}
    return sr.data.read_interactions(columns)


def train(split, job, arm, rate, epochs, seed):
    """Returns the history of a run."""
    keras.utils.set_random_seed(seed)
    model = build(split, job, job.deep if arm.deep else job.shallow)
    rate = sr.schedules.WarmupStableDecay(rate, warmup=0.02, decay=0.2)
    loss = {}
    if job.negatives is not None:
        loss = {"loss": sr.losses.SampledSoftmax(job.negatives, negatives_per="batch")}
    model.compile(keras.optimizers.Adam(rate), exclude_seen=False, **loss)
    callbacks = []
    at = min(max(1, round(arm.at * epochs)), epochs - 1)
    if arm.method is None and arm.optimizer_state == "reset":
        callbacks = [ResetsOptimizer(at)]
    if arm.method is not None:
        growth = sr.StackingCallback(
            arm.method,
            {at: job.deep},
            inherit=arm.inherit,
            optimizer_state=arm.optimizer_state,
            seed=seed,
        )
        callbacks = [growth, AfterGrowth(arm, at, seed)]
    names = {"features": model.features}
    validation = split.validation.subset(slice(0, job.validation_rows))
    return model.fit(
        PartsOfAPass(split.train, job, seed, names),
        validation_data=validation.batches(512, evaluation=True, **names),
        epochs=epochs,
        callbacks=callbacks,
        verbose=0,
    ).history


class PartsOfAPass(keras.utils.PyDataset):
    """Batches whose epochs are parts of a pass over the rows."""

    def __init__(self, rows, job, seed, names):
        super().__init__()
        self.rows, self.job, self.seed, self.names = rows, job, seed, names
        whole_batches = len(rows) // job.parts // job.batch_size
        self.size = max(whole_batches, 1) * job.batch_size
        self.set_epoch(0)

    def set_epoch(self, epoch):
        number, part = divmod(epoch, self.job.parts)
        order = np.random.default_rng([self.seed, number]).permutation(len(self.rows))
        chosen = np.sort(order[part * self.size : (part + 1) * self.size])
        rows = self.rows.subset(chosen)
        self.batches = rows.batches(self.job.batch_size, seed=self.seed, **self.names)
        self.batches.set_epoch(epoch)

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def build(split, job, num_blocks):
    arguments = dict(job.arguments)
    if job.model != "nextitnet":
        arguments["max_length"] = job.length - 1
    kind = model_class(job.model)
    return kind(num_items=split.num_items, num_blocks=num_blocks, **arguments)


class ResetsOptimizer(keras.callbacks.Callback):
    """Resets the optimizer's state as a growth step may do, without growing."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.at:
            with changing_shapes(self.model):
                reset_state(self.model)


class AfterGrowth(keras.callbacks.Callback):
    """Changes a grown model by the `shrink`, `noise` and `new_gates` of an `Arm`."""

    def __init__(self, arm, at, seed):
        super().__init__()
        self.arm = arm
        self.at = at
        self.rng = np.random.default_rng(seed)

    def on_epoch_begin(self, epoch, logs=None):
        if epoch != self.at:
            return
        gates = gates_of(self.model)
        if self.arm.shrink < 1:
            shrink_and_perturb(self.model, gates, self.arm, self.rng)
        if self.arm.new_gates is not None:
            for gate in gates:
                values = keras.ops.convert_to_numpy(gate)
                gate.assign(np.where(values == 0, self.arm.new_gates, values))


def gates_of(model):
    return [
        getattr(stack, name)
        for stack in block_stacks(model)
        for name, weight in stack.block_weights().items()
        if weight.gate
    ]


def shrink_and_perturb(model, gates, arm, rng):
    """Shrinks weights and adds noise, which helps warm starts to generalize (Ash and
    Adams, NeurIPS 2020)."""
    kept = set(map(id, gates))
    for variable in model.trainable_variables:
        if id(variable) in kept or "norm" in variable.path:
            continue
        old = keras.ops.convert_to_numpy(variable)
        noise = arm.noise * old.std() * rng.normal(size=old.shape)
        variable.assign((arm.shrink * old + noise).astype(old.dtype))


def described(curves, split):
    """Returns the result columns of a run's row in the results file."""
    names = ("loss", "val_loss", "val_ndcg@10")
    rounded = {name: [round(value, 5) for value in curves[name]] for name in names}
    return {
        **{name: rounded[name][-1] for name in names},
        "blocks": curves.get("num_blocks", [""])[-1],
        "curves": json.dumps(rounded),
        "split": split.hash,
        "backend": keras.backend.backend(),
        "stackrec_keras": sr.__version__,
        "date": date.today().isoformat(),
    }


def better_half(arguments, arms, epochs):
    """Returns the arms to train for longer: the baselines, and the better half of the
    others."""
    rows = [
        row
        for row in rows_in(arguments.results)
        if (row["job"], int(row["epochs"])) == (arguments.job, epochs)
    ]
    compared = [name for name in arms if ARMS[name].method is None]
    grown = [name for name in arms if name not in compared]
    grown.sort(key=lambda name: mean_loss(best_rate(rows, name)))
    return compared + grown[: max(1, len(grown) // 2)]


def best_rate(rows, arm):
    """Returns the rows of an arm at the rate with the lowest mean validation loss."""
    found = [row for row in rows if row["arm"] == arm]
    groups = [
        [row for row in found if row["rate"] == rate]
        for rate in dict.fromkeys(row["rate"] for row in found)
    ]
    return min(groups, key=mean_loss) if groups else []


def mean_loss(rows):
    return statistics.mean(float(row["val_loss"]) for row in rows)


def epoch_seconds(name, job, repeats=3, steps=20):
    """Returns a job's row of times: the seconds per step at both depths. They are
    measured alternately, after compilation."""
    split = read_split(job, None)
    models = {n: build(split, job, n) for n in (job.shallow, job.deep)}
    rows = split.train.subset(slice(0, steps * job.batch_size))
    seconds = {depth: [] for depth in models}
    for model in models.values():
        model.compile()
        model.fit(rows.batches(job.batch_size, features=model.features), verbose=0)
    for _ in range(repeats):
        for depth, model in models.items():
            start = time.perf_counter()
            model.fit(rows.batches(job.batch_size, features=model.features), verbose=0)
            seconds[depth].append((time.perf_counter() - start) / steps)
    return {
        "job": name,
        "shallow": statistics.median(seconds[job.shallow]),
        "deep": statistics.median(seconds[job.deep]),
        "ratios": json.dumps(
            [round(d / s, 2) for s, d in zip(*(seconds[n] for n in models))]
        ),
        "backend": keras.backend.backend(),
        "threads": os.environ.get("OMP_NUM_THREADS", os.cpu_count()),
        "date": date.today().isoformat(),
    }


def table(job_name, results, times_file):
    """Returns a job's Markdown table: each arm at its best rate, and how many times
    sooner it reached the final loss of the deep model from scratch, if it did."""
    job = JOBS[job_name]
    times = [row for row in rows_in(times_file) if row["job"] == job_name]
    cost = {job.shallow: 1.0, job.deep: job.deep / job.shallow}
    if times:
        cost[job.deep] = float(times[-1]["deep"]) / float(times[-1]["shallow"])
    rows = [row for row in rows_in(results) if row["job"] == job_name]
    longest = max(int(row["epochs"]) for row in rows)
    rows = [row for row in rows if int(row["epochs"]) == longest]
    scratch = best_rate(rows, "scratch")
    lines = [
        f"{job_name}, {job.shallow} -> {job.deep} blocks, {longest} epochs; an epoch "
        f"of {job.deep} blocks takes {cost[job.deep]:.2f} times as long as one of "
        f"{job.shallow}",
        "",
        "| arm | rate | seeds | validation loss | training loss | NDCG@10 | cost "
        "| sooner than scratch |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, arm in ARMS.items():
        found = best_rate(rows, name)
        if not found:
            continue
        clock = seconds_of(job, arm, longest, cost)
        cells = [
            name,
            f"{float(found[0]['rate']):g}",
            len(found),
            *(spread(found, column) for column in ("val_loss", "loss", "val_ndcg@10")),
            f"{clock[-1]:.1f}",
            sooner(found, scratch, clock, longest * cost[job.deep]),
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    lines += ["", bound_line(job, rows, cost, longest)]
    return "\n".join(lines)


def seconds_of(job, arm, epochs, cost):
    """Returns the time from the start of an arm to the end of each of its epochs. The
    unit is the time of an epoch at the shallow depth."""
    at = min(max(1, round(arm.at * epochs)), epochs - 1)
    depths = [job.deep if arm.deep else job.shallow] * epochs
    if arm.method is not None:
        depths[at:] = [job.deep] * (epochs - at)
    return np.cumsum([cost[depth] for depth in depths]).tolist()


def sooner(found, scratch, clock, whole):
    """Returns how many times sooner an arm reaches the final validation loss of the
    deep model from scratch. Both losses are means over the seeds."""
    if not scratch:
        return ""
    goal = mean_loss(scratch)
    curve = np.mean([curves_of(row)["val_loss"] for row in found], axis=0)
    reached = [t for t, loss in zip(clock, curve) if loss <= goal]
    return f"{whole / reached[0]:.2f}" if reached else "not reached"


def bound_line(job, rows, cost, epochs):
    curves = {}
    for name in ("shallow", "scratch"):
        found = best_rate(rows, name)
        if not found:
            return ""
        losses = np.mean([curves_of(row)["val_loss"] for row in found], axis=0)
        clock = seconds_of(job, ARMS[name], epochs, cost)
        curves[name] = {"val_loss": losses, "seconds": clock}
    bound = sr.stacking.growth_bound(curves["shallow"], curves["scratch"])
    return f"Growth bound: {bound:.2f}"


def curves_of(row):
    return json.loads(row["curves"])


def spread(rows, column):
    values = [float(row[column]) for row in rows]
    text = f"{statistics.mean(values):.4f}"
    return text if len(values) == 1 else f"{text} ± {statistics.stdev(values):.4f}"


def key_in(row):
    kinds = (str, str, float, int, int)
    return tuple(kind(row[column]) for kind, column in zip(kinds, KEY))


if __name__ == "__main__":
    main()
