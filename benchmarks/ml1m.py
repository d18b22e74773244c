"""Repeats published results on MovieLens-1M, and prints a table to compare them.

    python benchmarks/ml1m.py --list
    python benchmarks/ml1m.py --arms sasrec --seeds 0 1 2 --runs ~/runs
    python benchmarks/ml1m.py --arms esasrec esasrec-8 --learning-rates 0.001 0.0005 \\
        --runs ~/runs
    python benchmarks/ml1m.py --arms hstu --learning-rates 0.003 --epochs 30 \\
        --decay 0.3 --runs ~/runs
    python benchmarks/ml1m.py --table
    python benchmarks/ml1m.py --ties
    python benchmarks/ml1m.py --picture depth.png --runs ~/runs
    python benchmarks/ml1m.py --bound ~/runs/SHALLOW ~/runs/DEEP

Each arm is a recipe of `stackrec recipes`, or one with some options replaced. Each
user's last item is the test target, and the item before it is the validation target.
All items that the user has not seen are ranked. Training stops early on validation
MRR@5, as in all runs of the library, and the best epoch's model is tested once.

A finished run becomes a row of the results file, and is not run again. An interrupted
run continues after the last epoch that is stored in its folder in `--runs`. Several
processes may write to one results file. The table shows each arm at the learning rate
that gave the best mean validation NDCG@10.

On TensorFlow, use `--jit on`. OMP_NUM_THREADS, TF_NUM_INTRAOP_THREADS and
TF_NUM_INTEROP_THREADS set the number of threads; the results record OMP_NUM_THREADS.
"""

import argparse
import json
import os
import statistics
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from results_file import append, rows_in

import stackrec_keras as sr
from stackrec_keras.runs.named_recipes import RECIPES

RESULTS = Path(__file__).parent / "results" / "ml1m.csv"
FAMILIES = ("sasrec", "esasrec", "hstu")  # arms that are run at each depth
DEPTHS = (4, 8, 16)  # in addition to the recipes' own depth, 2
# These columns identify a run; the others hold its results.
KEY = (
    *("arm", "seed", "min_count", "learning_rate", "warmup", "decay", "max_epochs"),
    *("patience", "group_by_length"),
)


@dataclass(frozen=True)
class Arm:
    """A recipe with some options replaced, and its published figures.

    Args:
        recipe: String, the name of a recipe.
        options: Dict of fields of `TrainConfig`.
        published: Dict from a publication to the HR@10 and NDCG@10 that it reports.
            Defaults to the recipe's figures, or to none if an option is replaced.
    """

    recipe: str
    options: dict = field(default_factory=dict)
    published: dict | None = None

    @property
    def figures(self):
        if self.published is None and not self.options:
            return RECIPES[self.recipe].published
        return self.published or {}


_FULL_SOFTMAX = {"loss": "full_softmax", "num_negatives": None, "negatives_per": None}
ARMS = {
    "sasrec": Arm("sasrec-ml1m"),
    "sasrec-sampled": Arm(
        "sasrec-ml1m",
        {
            "loss": "sampled_softmax",
            "num_negatives": 3000,
            "negatives_per": "row",
        },
        {"Klenitskiy and Vasilev": (0.3159, 0.1857)},
    ),
    "gsasrec": Arm(
        "sasrec-ml1m",
        {
            "loss": "gbce",
            "num_negatives": 256,
            "t": 0.75,
            "embedding_dim": 128,
            "dropout": 0.5,
        },
        {"gSASRec": (0.3003, 0.1726)},
    ),
    "esasrec": Arm("esasrec-ml1m"),
    "hstu-no-time": Arm("hstu-ml1m", {"time_bias": False}),
    "hstu": Arm("hstu-ml1m"),
    "hstu-large": Arm("hstu-large-ml1m"),
    "sasrec-dropout": Arm("sasrec-ml1m", {"dropout": 0.2}),
    "esasrec-full-softmax": Arm("esasrec-ml1m", _FULL_SOFTMAX),
    "hstu-no-time-full-softmax": Arm(
        "hstu-ml1m", {"time_bias": False, **_FULL_SOFTMAX}
    ),
    "hstu-full-softmax": Arm("hstu-ml1m", _FULL_SOFTMAX),
    "hstu-large-full-softmax": Arm("hstu-full-softmax-ml1m"),
    "hstu-large-no-time-full-softmax": Arm(
        "hstu-full-softmax-ml1m", {"time_bias": False}
    ),
    "hstu-large-full-softmax-grown": Arm(
        "hstu-full-softmax-ml1m-grown", {"optimizer_state": "carry"}
    ),
    "hstu-large-full-softmax-grown-early": Arm(
        "hstu-full-softmax-ml1m-grown", {"schedule": "10:8"}
    ),
}
ARMS |= {
    f"{name}-{depth}": Arm(ARMS[name].recipe, {"num_blocks": depth})
    for name in FAMILIES
    for depth in DEPTHS
}


def main(argv=None):
    arguments = parsed(argv)
    if arguments.list:
        for name, arm in ARMS.items():
            print(f"{name:30} {arm.recipe} {arm.options or ''}")
    elif arguments.table:
        print(table(rows_in(arguments.results)))
    elif arguments.ties:
        print(ties(sr.data.load("ml-1m")))
    elif arguments.bound:
        print(bound(*arguments.bound))
    elif arguments.picture:
        picture(rows_in(arguments.results), arguments.runs, arguments.picture)
    else:
        run_all(arguments)


def parsed(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--arms", nargs="+", choices=tuple(ARMS), default=["sasrec"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--min-count", type=int, nargs="+", help="default: the recipe's"
    )
    parser.add_argument("--learning-rates", type=float, nargs="+")
    parser.add_argument("--epochs", type=int, help="maximum number of epochs")
    parser.add_argument("--patience", type=int)
    parser.add_argument("--warmup", type=float, help="fraction of the steps")
    parser.add_argument("--decay", type=float, help="fraction of the steps")
    parser.add_argument("--group-by-length", action="store_true", default=None)
    parser.add_argument("--data", help="a log in place of MovieLens-1M")
    parser.add_argument("--jit", choices=("auto", "on", "off"), default="auto")
    parser.add_argument("--runs", type=Path, help="the folder for the runs' folders")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--list", action="store_true", help="list the arms")
    parser.add_argument("--table", action="store_true", help="print the results")
    parser.add_argument("--ties", action="store_true", help="count tied last items")
    parser.add_argument("--picture", type=Path, help="plot each depth's curve")
    parser.add_argument(
        "--bound",
        type=Path,
        nargs=2,
        metavar="FOLDER",
        help="compute what growing could save, from a shallow and a deep run; of a "
        "grown run, only the epochs before growing count",
    )
    arguments = parser.parse_args(argv)
    needs_none = any((arguments.list, arguments.table, arguments.ties, arguments.bound))
    if arguments.runs is None and not needs_none:
        parser.error("give --runs, a folder outside of the repository")
    return arguments


def run_all(arguments):
    for name in arguments.arms:
        for config in configs(ARMS[name], arguments):
            key = key_of(name, config)
            if key in [key_in(row) for row in rows_in(arguments.results)]:
                print(f"already there: {key}")
                continue
            folder = folder_of(key, arguments.runs)
            run = sr.runs.train(config, folder, resume=True)
            print(run, flush=True)
            append(arguments.results, row_of(name, run))


def configs(arm, arguments):
    """Yields the `TrainConfig` of each run of an arm."""
    names = ("data", "epochs", "patience", "warmup", "decay", "group_by_length")
    fixed = {name: getattr(arguments, name) for name in names}
    fixed = {name: value for name, value in fixed.items() if value is not None}
    for min_count in arguments.min_count or [None]:
        for rate in arguments.learning_rates or [None]:
            for seed in arguments.seeds:
                asked = {"min_count": min_count, "learning_rate": rate, "seed": seed}
                asked = {name: v for name, v in asked.items() if v is not None}
                options = {**arm.options, **fixed, **asked, "jit": arguments.jit}
                yield sr.runs.recipe(arm.recipe, **options)


def key_of(name, config):
    found = {**vars(config), "arm": name, "max_epochs": config.epochs}
    return tuple(found[column] for column in KEY)


def key_in(row):
    kinds = (str, int, int, float, float, float, int)
    kinds += (lambda text: int(text) if text else None, lambda text: text == "True")
    return tuple(kind(row[column]) for kind, column in zip(kinds, KEY))


def folder_of(key, runs):
    return runs / "_".join(map(str, key))


def row_of(name, run):
    """Returns the row of a finished run."""
    best = best_epoch(run)
    tested = run.results[sr.evaluation.model_title(run.model)]
    environment = json.loads((run.folder / "environment.json").read_text())
    split = json.loads((run.folder / "split.json").read_text())
    metrics = ("hit_rate@10", "ndcg@10")
    return {
        **dict(zip(KEY, key_of(name, run.config))),
        "items": split["num_items"],
        "blocks": run.model.num_blocks,
        "parameters": run.model.count_params(),
        "epochs": len(run.history["epoch"]),
        "best_epoch": best,
        **{f"val_{m}": round(run.history[f"val_{m}"][best], 5) for m in metrics},
        **{f"test_{m}": round(tested[m], 5) for m in metrics},
        "seconds": round(sum(run.history["seconds"])),
        "threads": os.environ.get("OMP_NUM_THREADS", os.cpu_count()),
        "jit": run.config.jit,
        **{n: environment[n] for n in ("backend", "backend_version", "keras")},
        "stackrec_keras": environment["stackrec_keras"],
        "split": split["hash"],
        "date": environment["date"][:10],
    }


def best_epoch(run):
    """Returns the epoch whose weights a run has kept."""
    values = run.history["val_mrr@5"]
    if run.config.patience is None:
        return len(values) - 1
    blocks = run.history["num_blocks"]
    deepest = run.config.best_of == "deepest"
    epochs = [e for e in range(len(values)) if blocks[e] == blocks[-1] or not deepest]
    return max(epochs, key=values.__getitem__)


def table(rows):
    """Returns the results as a Markdown table.

    For each arm, it shows the runs at the learning rate that is best on validation. The
    test metrics are means and standard deviations over the seeds.
    """
    lines = [
        "| arm | blocks | items | rate | seeds | best epoch | seconds | HR@10 "
        "| NDCG@10 | published HR@10 / NDCG@10 |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, arm in ARMS.items():
        found = [row for row in rows if row["arm"] == name]
        for items in sorted({int(row["items"]) for row in found}):
            best = best_rate([row for row in found if int(row["items"]) == items])
            figures = (f"{mean_and_spread(best, f'test_{m}@10')}" for m in METRICS)
            cells = [
                name,
                best[0]["blocks"],
                f"{items:,}",
                rate_of(best[0]),
                len(best),
                " to ".join(spanned(best, "best_epoch")),
                " to ".join(spanned(best, "seconds")),
                *figures,
                published(arm.figures),
            ]
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def picture(rows, runs, path):
    """Draws the best validation NDCG@10 so far, over epochs and over hours.

    Each depth has one curve: the first run at the best learning rate of its arm.
    """
    figure, axes = plt.subplots(
        len(FAMILIES), 2, figsize=(9, 3 * len(FAMILIES)), sharey="row", squeeze=False
    )
    for (by_epoch, by_time), family in zip(axes, FAMILIES):
        by_epoch.set(title=family, xlabel="epoch", ylabel="validation NDCG@10")
        by_time.set(xlabel="hours")
        for name in (family, *(f"{family}-{depth}" for depth in DEPTHS)):
            found = [row for row in rows if row["arm"] == name]
            if not found:
                continue
            row = best_rate(found)[0]
            history = sr.runs.read_run(folder_of(key_in(row), runs)).history
            hours = [seconds / 3600 for seconds in accumulate(history["seconds"])]
            best = list(accumulate(history["val_ndcg@10"], max))
            by_epoch.plot(best, label=f"{row['blocks']} blocks")
            by_time.plot(hours, best)
        by_epoch.legend()
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def ties(log):
    """Returns how many last items depend on the order of simultaneous events."""
    last = log.groupby("user").tail(1)
    before = log.groupby("user").nth(-2)
    tied = (last["timestamp"].to_numpy() == before["timestamp"].to_numpy()).sum()
    by_item = log.sort_values(["user", "timestamp", "item"], kind="stable")
    others = by_item.groupby("user").tail(1)["item"].to_numpy() != last["item"]
    return (
        f"{tied:,} of {len(last):,} last items have the same time as the item before. "
        f"If ties were broken by item, {others.sum():,} ({others.mean():.1%}) of the "
        "last items would be different."
    )


def bound(shallow, deep):
    """Returns the growth bound for the runs in two folders, by two metrics."""
    curves = [
        first_stage(sr.runs.read_run(folder).history) for folder in (shallow, deep)
    ]
    found = {
        m: sr.stacking.growth_bound(*curves, m) for m in ("val_loss", "val_ndcg@10")
    }
    return ", ".join(f"{value:.3f} by {monitor}" for monitor, value in found.items())


def first_stage(history):
    """Returns a run's curve up to its first growth step. All epochs take the median
    time, because other work on the machine delays some of them."""
    history = pd.DataFrame(history)
    stage = history[history["num_blocks"] == history["num_blocks"].iloc[0]]
    seconds = stage["seconds"].median() * np.arange(1, len(stage) + 1)
    return stage.assign(seconds=seconds).drop(columns=["epoch", "num_blocks"])


METRICS = ("hit_rate", "ndcg")


def best_rate(rows):
    """Returns the rows of the learning rate with the best mean validation NDCG@10."""
    groups = {}
    for row in rows:
        groups.setdefault(rate_of(row), []).append(row)
    return max(
        groups.values(),
        key=lambda group: statistics.mean(float(row["val_ndcg@10"]) for row in group),
    )


def rate_of(row):
    """Describes a run's learning rate for the table."""
    text = f"{float(row['learning_rate']):g}"
    for name in ("warmup", "decay"):
        if float(row[name]):
            text += f", {name} {float(row[name]):g}"
    if float(row["decay"]):
        text += f", {row['max_epochs']} epochs"
    return f"{text}, grouped" if row["group_by_length"] == "True" else text


def mean_and_spread(rows, column):
    values = [float(row[column]) for row in rows]
    mean = without_zero(statistics.mean(values))
    if len(values) == 1:
        return mean
    return f"{mean} ± {without_zero(statistics.stdev(values))}"


def spanned(rows, column):
    values = sorted(int(row[column]) for row in rows)
    return [f"{value:,}" for value in dict.fromkeys((values[0], values[-1]))]


def published(figures):
    return "; ".join(
        f"{without_zero(hit_rate)} / {without_zero(ndcg)} ({source})"
        for source, (hit_rate, ndcg) in figures.items()
    )


def without_zero(value):
    return f"{value:.4f}".removeprefix("0")


if __name__ == "__main__":
    main()
