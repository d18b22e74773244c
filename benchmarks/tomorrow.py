"""Compares ways to keep a model up to date, five days in a row.

    python benchmarks/tomorrow.py --data globo_clicks.npz --seeds 0
    python benchmarks/tomorrow.py --data globo_clicks.npz --times
    python benchmarks/tomorrow.py --data globo_clicks.npz --table

Day 0 is all that happened before the first of the five days. It trains the models that
exist when the first day's rows and items arrive. An arm is what is done from then on,
once a day:

- `going on` adds the new items to yesterday's shallow model and trains it on.
- `grown` does the same, and grows the model on the first day and on the third.
- `deep, going on` does it with a model that was deep on day 0.
- `scratch` trains the deep model from scratch on all rows so far, and `shallow scratch`
  the shallow one, for as many steps.

The arms that train on get a third of the time that `scratch` takes: a third of its
steps at its depth, and more at smaller depths, where a step is cheaper (`COSTS`).

Some users are never trained on. Half of them validate, on their events of the day. The
other half are tested on, by their events of the same day and of the next day. On the
first day, each arm is trained at several learning rates. Arms that train on do so on
all rows, and also on the new rows only. What has the best validation NDCG@10 is kept
for the other days. The rate rises over the first 5% of a day's steps and falls to 0
over the last 20%.

A finished run becomes a row of the results file with its whole curve, and is not
trained again. Its model stays in `--runs`, for the next day. Training is measured in
steps, which a busy machine does not affect. `--times` measures the CPU seconds per step
of each depth, which are seconds by the clock if a single thread has a core to itself.
`--data` is `ml-1m`, a log, or an .npz file of `user`, `item` and `timestamp` in
milliseconds. `--job` says how it is cut into days, and which fraction of the users to
train on.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from results_file import append, rows_in

import stackrec_keras as sr

RESULTS = Path(__file__).parent / "results" / "tomorrow.csv"
TIMES = Path(__file__).parent / "results" / "tomorrow_times.csv"
KEY = ("job", "steps", "arm", "day", "rate", "rows", "seed")
DAYS = (1, 2, 3, 4, 5)
METRICS = ("ndcg@10", "hit_rate@10", "mrr@5")
GOAL = "ndcg@10"
SHALLOW, DEEP = 2, 8
# The time of a step, relative to the others, as `--times` finds it.
COSTS = {2: 1.0, 4: 1.7, 8: 3.0}
_DAY = 24 * 60 * 60 * 1000  # milliseconds


@dataclass(frozen=True)
class Job:
    """A log, cut into days, and the size of a run.

    Args:
        users: Float, the fraction of the users to train on. A tenth of the users are
            held out.
        starts: Function from the log's times to the seven times at which the five days
            begin, and the sixth day begins and ends.
        length: Integer, the items of a row.
        steps: Integer, the steps from scratch.
        negatives: Integer, the negatives of the sampled softmax. Defaults to `None`,
            the full softmax.
        batch_size: Integer. Defaults to `128`.
        width: Integer, the width of the model. Defaults to `32`.
        held_out_rows: Integer, the most rows for validation, and for each test.
            Defaults to `2000`.
        evaluations: Integer, how often the arms that train on are validated. Defaults
            to `8`.
    """

    users: float
    starts: Callable
    length: int
    steps: int
    negatives: int | None = None
    batch_size: int = 128
    width: int = 32
    held_out_rows: int = 2000
    evaluations: int = 8


@dataclass(frozen=True)
class Arm:
    """What is done each day.

    Args:
        depths: The depth on day 0 and on each of the five days.
        warm: Boolean, whether to begin with yesterday's model. Defaults to `True`.
    """

    depths: tuple
    warm: bool = True


class Settings(NamedTuple):
    """What is tuned: the learning rate, and which rows to train on."""

    rate: float
    rows: str = "all"


def by_day(first):
    """Returns a function for `Job.starts`: day 1 begins `first` days after the log."""
    return lambda times: [times.min() + (first + day) * _DAY for day in range(7)]


def by_events(first, each):
    """Returns a function for `Job.starts`: day 1 begins after the fraction `first` of
    the events, and each day has the fraction `each`."""

    def starts(times):
        ordered = np.sort(times)
        ends = [round((first + day * each) * len(ordered)) for day in range(7)]
        return [ordered[min(end, len(ordered) - 1)] for end in ends]

    return starts


JOBS = {
    "globo": Job(0.05, by_day(10), length=11, steps=720, negatives=256),
    "ml-1m": Job(0.9, by_events(0.7, 0.05), length=51, steps=1920),
    # Seconds instead of minutes, to try the script.
    "tiny": Job(0.7, by_events(0.4, 0.1), 6, 8, 4, 16, 4, 50, evaluations=2),
}
ARMS = {
    "scratch": Arm((DEEP,) * 6, warm=False),
    "shallow scratch": Arm((SHALLOW,) * 6, warm=False),
    "going on": Arm((SHALLOW,) * 6),
    "grown": Arm((SHALLOW, 4, 4, DEEP, DEEP, DEEP)),
    "deep, going on": Arm((DEEP,) * 6),
}


def main(argv=None):
    arguments = parsed(argv)
    job = JOBS[arguments.job]
    job = replace(job, steps=arguments.steps or job.steps)
    arguments.steps = job.steps
    if arguments.table:
        print(table(arguments))
    elif arguments.times:
        append(arguments.times_file, step_seconds(arguments, job))
    else:
        days = Days(read_log(arguments.data), job)
        for seed in arguments.seeds:
            Study(arguments, job, days, seed).run()


def parsed(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--data", help="ml-1m, a log, or an .npz file of Globo's clicks"
    )
    parser.add_argument("--job", choices=tuple(JOBS), default="globo")
    parser.add_argument("--arms", nargs="+", choices=tuple(ARMS), default=list(ARMS))
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-3, 3e-3])
    parser.add_argument("--steps", type=int, help="from scratch, if not as in the job")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--runs", type=Path, default=Path.home() / "runs" / "tomorrow")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--times-file", type=Path, default=TIMES)
    parser.add_argument("--times", action="store_true", help="time all depths")
    parser.add_argument("--table", action="store_true", help="print the results")
    return parser.parse_args(argv)


def read_log(data):
    if data == "ml-1m":
        return sr.data.load("ml-1m")
    if not str(data).endswith(".npz"):
        return sr.data.read_interactions(data)
    with np.load(data) as file:
        return sr.data.read_interactions(
            {name: file[name] for name in ("user", "item", "timestamp")}
        )


class Day(NamedTuple):
    """What is known on the evening of a day, and what will happen on the next."""

    items: int
    all: sr.data.Windows
    new: sr.data.Windows
    validation: sr.data.Windows
    test: sr.data.Windows
    test_tomorrow: sr.data.Windows


class Days:
    """Cuts a log into days.

    Args:
        log: A sorted log.
        job: `Job`.
    """

    def __init__(self, log, job):
        self.job = job
        starts = job.starts(log["timestamp"].to_numpy())
        # The end of each day, from day 0 to day 6.
        self.ends = starts
        log = log[log["timestamp"] < starts[-1]]
        users = log["user"].unique()
        shuffled = np.random.default_rng(0).permutation(users)
        held_out = len(users) // 20
        trained = round(job.users * len(users))
        parts = np.split(shuffled, [held_out, 2 * held_out, 2 * held_out + trained])
        self.validation, self.test, self.train = (
            log[log["user"].isin(part)].reset_index(drop=True) for part in parts[:3]
        )

    def day(self, number):
        """Returns a `Day`. Items are numbered in the order of the days."""
        vocabulary = self._vocabulary(number)
        end = self.ends[number]
        known = self.train[self.train["timestamp"] < end].reset_index(drop=True)
        rows = sr.data.make_windows(known, vocabulary, self.job.length)
        new = rows
        if number:
            new = rows.subset(rows.end_time >= self.ends[number - 1])
        validation, _ = self._held_out(self.validation, number, vocabulary)
        test, tomorrow = self._held_out(self.test, number, vocabulary)
        return Day(len(vocabulary), rows, new, validation, test, tomorrow)

    def _vocabulary(self, number):
        times = self.train["timestamp"]
        vocabulary = sr.data.Vocabulary.from_items(
            self.train["item"][times < self.ends[0]]
        )
        for end in self.ends[1 : number + 1]:
            vocabulary = vocabulary.extended(self.train["item"][times < end])
        return vocabulary

    def _held_out(self, log, number, vocabulary):
        """Returns the held-out rows of a day, and of the next day. Day 0's are the
        rows of its last 24 hours, or of its last events."""
        end = self.ends[number]
        start = self.ends[number - 1] if number else 2 * end - self.ends[1]
        past = log["timestamp"] < self.ends[number + 1]
        known = log[past & log["item"].isin(vocabulary.ids)].reset_index(drop=True)
        split = sr.data.split_by_time(
            known,
            self.job.length,
            validation_start=start,
            test_start=end,
            vocabulary=vocabulary,
        )
        return [
            sample(part, self.job.held_out_rows)
            for part in (split.validation, split.test)
        ]


def sample(windows, rows):
    if len(windows) <= rows:
        return windows
    chosen = np.random.default_rng(0).choice(len(windows), rows, replace=False)
    return windows.subset(np.sort(chosen))


class Study:
    """Trains the arms of one seed, day by day."""

    def __init__(self, arguments, job, days, seed):
        self.arguments, self.job, self.days, self.seed = arguments, job, days, seed

    def run(self):
        arms = {name: ARMS[name] for name in self.arguments.arms}
        day = self.days.day(0)
        rates = [Settings(rate) for rate in self.arguments.rates]
        for depth in {arm.depths[0] for arm in arms.values() if arm.warm}:
            self.train(base_name(depth), Arm((depth,), warm=False), 0, day, rates)
        for number in DAYS:
            day = self.days.day(number)
            for name, arm in arms.items():
                self.train(name, arm, number, day, self.settings(name, arm, number))

    def settings(self, name, arm, number):
        """Returns the settings to train with: on the first day all, then the best."""
        if number > 1:
            return [self.best(name, 1)]
        rows = ("all", "new") if arm.warm else ("all",)
        return [Settings(rate, r) for rate in self.arguments.rates for r in rows]

    def best(self, name, number):
        """Returns the settings with which an arm validated best on a day."""
        rows = rows_of(self.arguments, seed=self.seed, arm=name, day=number)
        return settings_of(max(rows, key=lambda row: float(row["validation"])))

    def train(self, name, arm, number, day, settings):
        """Trains an arm on a day with each of the settings."""
        for one in settings:
            key = (self.arguments.job, self.job.steps, name, number, *one, self.seed)
            if key in map(key_in, rows_in(self.arguments.results)):
                continue
            model = self.begin(name, arm, number, day)
            curve = self.fit(model, arm, day, one)
            row = dict(zip(KEY, key)) | self.described(model, day, curve)
            path = self.path(name, number, one)
            path.parent.mkdir(parents=True, exist_ok=True)
            model.save(path)
            append(self.arguments.results, row)
            print(f"{key}: {row['validation']} after {row['best_step']}", flush=True)

    def path(self, name, number, settings):
        words = (name, number, *settings)
        file = "-".join(
            str(word).replace(", ", "-").replace(" ", "-") for word in words
        )
        folder = f"{self.arguments.job}-{self.job.steps}-seed-{self.seed}"
        return self.arguments.runs / folder / f"{file}.keras"

    def begin(self, name, arm, number, day):
        """Returns the model to train: yesterday's, extended and grown, or a new one."""
        keras.backend.clear_session()
        keras.utils.set_random_seed(100 * self.seed + number)
        if not arm.warm:
            return build(
                day.items, arm.depths[min(number, len(arm.depths) - 1)], self.job
            )
        before = name if number > 1 else base_name(arm.depths[0])
        path = self.path(before, number - 1, self.best(before, number - 1))
        model = keras.saving.load_model(path, compile=False)
        if day.items > model.num_items:
            model.extend_items(day.items - model.num_items)
        if model.num_blocks < arm.depths[number]:
            model.grow("stackC", arm.depths[number], seed=self.seed)
        return model

    def fit(self, model, arm, day, settings):
        """Trains a model, leaves it with its best weights, and returns its curve: a
        dict of lists."""
        steps, every = lengths(self.job, arm.warm, model.num_blocks)
        rate = sr.schedules.WarmupStableDecay(
            settings.rate, warmup=0.05, decay=0.2, steps=steps
        )
        compile_model(model, keras.optimizers.Adam(rate), self.job)
        rows = getattr(day, settings.rows)
        order = shuffled(len(rows), steps * self.job.batch_size, self.seed)
        curve = {name: [] for name in ("step", "loss", GOAL)}
        best = None
        for step in range(0, steps + 1, every):
            if step:
                end = step * self.job.batch_size
                chosen = order[end - every * self.job.batch_size : end]
                train_on(model, rows.subset(chosen), self.job)
            elif not arm.warm:
                continue
            found = evaluate(model, day.validation)
            if best is None or found[GOAL] > max(curve[GOAL]):
                best = model.get_weights()
            for name in ("loss", GOAL):
                curve[name].append(round(found[name], 5))
            curve["step"].append(step)
        model.set_weights(best)
        return curve

    def described(self, model, day, curve):
        """Returns the result columns of a run's row in the results file."""
        best = int(np.argmax(curve[GOAL]))
        columns = {
            "blocks": model.num_blocks,
            "items": day.items,
            "all_rows": len(day.all),
            "new_rows": len(day.new),
            "best_step": curve["step"][best],
            "validation": curve[GOAL][best],
        }
        for name in ("test", "test_tomorrow"):
            rows = getattr(day, name)
            columns[f"{name}_rows"] = len(rows)
            found = evaluate(model, rows)
            columns |= {
                f"{name}_{metric}": round(found[metric], 5) for metric in METRICS
            }
        return {
            **columns,
            "curve": json.dumps(curve),
            "backend": keras.backend.backend(),
            "stackrec_keras": sr.__version__,
            "date": date.today().isoformat(),
        }


def base_name(depth):
    """Returns the name of the arm that trains a model on day 0."""
    return f"base, {depth} blocks"


def lengths(job, warm, num_blocks):
    """Returns the number of steps of a run, and the number from a validation to the
    next. Runs that begin with yesterday's model take a third of the time of a deep
    model from scratch, and are validated half as often."""
    evaluations = job.evaluations if warm else 2 * job.evaluations
    part = COSTS[DEEP] / COSTS[num_blocks] / 3 if warm else 1
    every = max(1, round(part * job.steps / evaluations))
    return every * evaluations, every


def build(items, num_blocks, job):
    return sr.SASRec(
        items,
        job.length - 1,
        embedding_dim=job.width,
        num_blocks=num_blocks,
        norm="pre",
        dropout=0.2,
        padding_mask=True,
    )


def compile_model(model, optimizer, job):
    loss = sr.losses.FullSoftmax()
    if job.negatives is not None:
        loss = sr.losses.SampledSoftmax(job.negatives)
    # To compile by XLA takes longer than a run of so few steps.
    model.compile(optimizer, loss=loss, exclude_seen=False, jit_compile=False)


def shuffled(rows, count, seed):
    """Returns the rows to train on, in order: whole passes, and a part of one."""
    rng = np.random.default_rng(seed)
    passes = [rng.permutation(rows) for _ in range(-(-count // rows))]
    return np.concatenate(passes)[:count]


def train_on(model, rows, job):
    model.fit(rows.batches(job.batch_size, shuffle=False), verbose=0)


def evaluate(model, rows):
    return model.evaluate(
        rows.batches(512, evaluation=True), verbose=0, return_dict=True
    )


def step_seconds(arguments, job, steps=20, repeats=3):
    """Returns a job's row of times: the CPU seconds per step of each depth on the last
    day. They are measured alternately, after the first steps."""
    day = Days(read_log(arguments.data), job).day(DAYS[-1])
    depths = sorted({depth for arm in ARMS.values() for depth in arm.depths})
    models = {depth: build(day.items, depth, job) for depth in depths}
    rows = day.all.subset(shuffled(len(day.all), steps * job.batch_size, 0))
    seconds = {depth: [] for depth in depths}
    for model in models.values():
        compile_model(model, keras.optimizers.Adam(1e-3), job)
        train_on(model, rows, job)
    for _ in range(repeats):
        for depth, model in models.items():
            start = time.process_time()
            train_on(model, rows, job)
            seconds[depth].append((time.process_time() - start) / steps)
    return {
        "job": arguments.job,
        **{str(n): round(statistics.median(seconds[n]), 4) for n in depths},
        "backend": keras.backend.backend(),
        "threads": os.environ.get("OMP_NUM_THREADS", os.cpu_count()),
        "date": date.today().isoformat(),
    }


def table(arguments):
    """Returns a job's Markdown tables: the time of each arm until it validates as well
    as the deep model from scratch at its best, and the quality of each arm."""
    times = [
        row for row in rows_in(arguments.times_file) if row["job"] == arguments.job
    ]
    if not times:
        raise SystemExit("No times. Measure them with --times.")
    seeds = sorted({int(row["seed"]) for row in rows_of(arguments)})
    heads = [f"day {day}" for day in DAYS]
    goals = {
        day: [best_row(arguments, "scratch", day, seed) for seed in seeds]
        for day in DAYS
    }
    tables = {
        "seconds to the best NDCG@10 of scratch": [],
        "seconds to the best loss of scratch": [],
        "NDCG@10, tomorrow's rows": [],
        "NDCG@10, today's rows": [],
    }
    for name in ARMS:
        days = {
            day: [best_row(arguments, name, day, seed) for seed in seeds]
            for day in DAYS
        }
        if not all(all(found) for found in days.values()):
            continue
        tuned = said(map(settings_of, days[DAYS[0]]))
        pairs = [(days[day], goals[day]) for day in DAYS]
        columns = (
            [to_goal(GOAL, *pair, times[-1]) for pair in pairs],
            [to_goal("loss", *pair, times[-1]) for pair in pairs],
            [spread(found, f"test_tomorrow_{GOAL}") for found in days.values()],
            [spread(found, f"test_{GOAL}") for found in days.values()],
        )
        for rows, cells in zip(tables.values(), columns):
            rows.append([name, tuned, *cells])
    return "\n\n".join(
        markdown([[title, "tuned on day 1", *heads], *rows])
        for title, rows in tables.items()
    )


def to_goal(metric, found, goals, times):
    """Returns the mean seconds of an arm to the best validation of the deep model from
    scratch, and in how small a part of its time. Each list has a row per seed."""
    seconds, whole = [], []
    for row, goal in zip(found, goals):
        sign = -1 if metric == "loss" else 1
        best = max(sign * value for value in json.loads(goal["curve"])[metric])
        step = first_step(row, metric, sign, best)
        if step is not None:
            seconds.append(step * float(times[row["blocks"]]))
            best_step = first_step(goal, metric, sign, best)
            whole.append(best_step * float(times[goal["blocks"]]))
    if len(seconds) < len(found):
        missed = "not reached"
        return missed if len(found) == 1 else f"{missed} in {len(found) - len(seconds)}"
    part = sum(seconds) / sum(whole)
    return f"{statistics.mean(seconds):.0f} ({part:.2f})"


def first_step(row, metric, sign, goal):
    """Returns the first step at which a run validated as well as `goal`, or `None`."""
    curve = json.loads(row["curve"])
    reached = [s for s, v in zip(curve["step"], curve[metric]) if sign * v >= goal]
    return reached[0] if reached else None


def best_row(arguments, name, day, seed):
    rows = rows_of(arguments, arm=name, day=day, seed=seed)
    return max(rows, key=lambda row: float(row["validation"])) if rows else None


def rows_of(arguments, **wanted):
    wanted = {"job": arguments.job, "steps": arguments.steps, **wanted}
    return [
        row
        for row in rows_in(arguments.results)
        if all(row[name] == str(value) for name, value in wanted.items())
    ]


def settings_of(row):
    return Settings(float(row["rate"]), row["rows"])


def said(settings):
    return " or ".join(dict.fromkeys(f"{s.rate:g}, {s.rows} rows" for s in settings))


def spread(rows, column):
    values = [float(row[column]) for row in rows]
    text = f"{statistics.mean(values):.4f}"
    return text if len(values) == 1 else f"{text} ± {statistics.stdev(values):.4f}"


def markdown(rows):
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def key_in(row):
    kinds = (str, int, str, int, float, str, int)
    return tuple(kind(row[column]) for kind, column in zip(kinds, KEY))


if __name__ == "__main__":
    main()
