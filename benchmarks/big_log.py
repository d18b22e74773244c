"""Does memory use stay the same when a log grows tenfold?

    python benchmarks/big_log.py --events 1_000_000 10_000_000

Writes a log in Parquet files of a million events, prepares it, and trains a few steps
on its rows. Each of these runs in its own process, so that its peak memory can be
measured. With `--in-memory` it also reads and splits the same log in memory. The number
of users grows with the log (50 events each on average), but the catalogue stays the
same. Adds a row to results/big_log.csv for each log, and deletes the log and the
prepared files.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results_file import append

RESULTS = Path(__file__).parent / "results" / "big_log.csv"
PART = 1_000_000  # events in a file
EVENTS_A_USER = 50
LENGTH = 20


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--items", type=int, default=50_000, help="in the catalogue")
    parser.add_argument(
        "--split", default="leave-one-out", help="leave-one-out, time or random"
    )
    parser.add_argument("--steps", type=int, default=50, help="training steps")
    parser.add_argument(
        "--in-memory", action="store_true", help="also split the log in memory"
    )
    parser.add_argument("--folder", help="where to put temporary files")
    parser.add_argument("--step", choices=list(STEPS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        print(json.dumps(measured(STEPS[arguments.step], arguments)))
        return
    for events in arguments.events:
        row = run(events, arguments)
        append(RESULTS, row)
        print(row, flush=True)


def run(events, arguments):
    row = {
        "events": events,
        "items": arguments.items,
        "length": LENGTH,
        "split": arguments.split,
        "steps": arguments.steps,
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
        "cores": os.cpu_count(),
    }
    steps = [name for name in STEPS if name != "in memory" or arguments.in_memory]
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for name in STEPS:
            found = child(name, events, folder, arguments) if name in steps else {}
            for measure in (*MEASURES, *KEPT.get(name, ())):
                row[f"{name}: {measure}"] = found.get(measure, "")
    return row


def child(step, events, folder, arguments):
    """What a step reports when it runs in its own process."""
    command = [sys.executable, __file__, "--step", step, "--folder", folder]
    command += ["--events", str(events), "--items", str(arguments.items)]
    command += ["--split", arguments.split, "--steps", str(arguments.steps)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measured(step, arguments):
    import stackrec_keras  # noqa: F401  so that its memory counts as "at start"

    at_start, start, cpu = peak(), time.perf_counter(), time.process_time()
    facts = step(Path(arguments.folder), arguments) or {}
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "CPU seconds": round(time.process_time() - cpu, 1),
        "MiB at start": at_start,
        "peak MiB": peak(),
        **facts,
    }


def peak():
    """The peak memory of this process in MiB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


def write(folder, arguments):
    import numpy as np
    import pandas as pd

    (folder / "log").mkdir()
    events, rng = arguments.events[0], np.random.default_rng(0)
    users = max(1, events // EVENTS_A_USER)
    for part, start in enumerate(range(0, events, PART)):
        rows = min(PART, events - start)
        frame = pd.DataFrame(
            {
                # The powers make some users more active, and some items more popular,
                # than others.
                "user": (users * rng.random(rows) ** 1.5).astype("int64"),
                "item": (arguments.items * rng.random(rows) ** 3).astype("int64"),
                "timestamp": 1_600_000_000 + (start + np.arange(rows)) // 10,
            }
        )
        frame.to_parquet(folder / "log" / f"part-{part:05}.parquet", index=False)


def prepare(folder, arguments):
    import stackrec_keras as sr

    log = sr.data.open_log(folder / "log")
    split = sr.data.prepare_log(log, folder / "prepared", LENGTH, arguments.split)
    files = (path.stat().st_size for path in (folder / "prepared").rglob("*.*"))
    facts = {"rows": len(split.train), "users": split.num_users}
    return {**facts, "MiB on disk": sum(files) // 2**20, "hash": split.hash}


def train(folder, arguments):
    import stackrec_keras as sr

    split = sr.data.read_prepared(folder / "prepared")
    model = sr.SASRec(split.num_items, LENGTH - 1, embedding_dim=32)
    model.compile(loss=sr.losses.SampledSoftmax(256))
    model.fit(split.train.batches(256), steps_per_epoch=arguments.steps, verbose=0)


def in_memory(folder, arguments):
    import pandas as pd

    import stackrec_keras as sr

    files = sorted((folder / "log").iterdir())
    log = sr.data.read_interactions(pd.concat(map(pd.read_parquet, files)))
    if arguments.split == "time":
        split = sr.data.split_by_time(log, LENGTH)
    elif arguments.split == "leave-one-out":
        split = sr.data.split_leave_one_out(log, None, LENGTH)
    else:
        vocabulary = sr.data.Vocabulary.from_items(log["item"])
        windows = sr.data.make_windows(log, vocabulary, LENGTH)
        split = sr.data.split_random(windows)
    return {"hash": split.hash}


STEPS = {"write": write, "prepare": prepare, "train": train, "in memory": in_memory}
MEASURES = ("seconds", "CPU seconds", "MiB at start", "peak MiB")
KEPT = {"prepare": ("rows", "users", "MiB on disk", "hash"), "in memory": ("hash",)}


if __name__ == "__main__":
    main()
