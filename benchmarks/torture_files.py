"""Does a damaged file end in a clear error, or else change nothing?

    KERAS_BACKEND=torch python benchmarks/torture_files.py --damages 100

Damages files of each kind: cuts one off, flips a bit, or overwrites 64 bytes. Reading
it must raise one of the errors that the command line shows in a line (`ValueError`,
`OSError`), or give what the undamaged file gives. It fails if it raises another error,
loads another model, crashes the process or takes longer than a minute.

Logs, vocabularies and prepared logs hold no checksum: there, a damage may also give
other valid rows. The last line says how many did.
"""

import argparse
import contextlib
import json
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import warnings
from pathlib import Path

SLOWEST = 60  # seconds
CLEAN = (ValueError, OSError, ImportError)
CHECKED = ("model.keras", "model.weights.h5", "preset")
KINDS = (
    *CHECKED,
    "run",
    "vocabulary.json",
    "log.csv",
    "log.csv.gz",
    "log.parquet",
    "prepared",
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--damages", type=int, default=100, help="of each kind of file")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(Path(arguments.work))
        return
    cases = [(kind, seed) for kind in KINDS for seed in range(arguments.damages)]
    with tempfile.TemporaryDirectory() as folder:
        outcomes = list(_supervise(Path(folder), cases))
    _report(dict(zip(cases, outcomes, strict=True)))


def _report(outcomes):
    from torture import report

    failures, notes = [], []
    for kind in KINDS:
        found = [o for (of, _), o in outcomes.items() if of == kind]
        fine = ["refused", "same", *(() if kind in CHECKED else ("other",))]
        failures += [f"{kind}: {o}" for o in found if o not in fine]
        counts = {o: found.count(o) for o in fine}
        print(kind, counts)
        if counts.get("other"):
            notes.append(f"{counts['other']} other {kind}")
    report("hostile files", len(outcomes), failures, ", ".join(notes))


def _supervise(folder, cases):
    """Yields the outcome of each case, from processes that may crash or hang."""
    waiting = list(cases)
    while waiting:
        (folder / "cases.json").write_text(json.dumps(waiting))
        command = [sys.executable, "-W", "ignore", __file__, "--work", str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            lines = queue.Queue()
            reader = threading.Thread(target=_read, args=(process.stdout, lines))
            reader.start()
            if _next(lines, 10 * SLOWEST) != "ready":
                sys.exit("the undamaged files cannot be read")
            outcome = ""
            while waiting and outcome not in ("hang", "crash"):
                outcome = _next(lines, SLOWEST)
                waiting.pop(0)
                yield outcome
            process.kill()
            reader.join()


def _read(stdout, lines):
    for line in stdout:
        if line.startswith("> "):
            lines.put(line[2:].strip())
    lines.put("crash")  # the process ended


def _next(lines, seconds):
    try:
        return lines.get(timeout=seconds)
    except queue.Empty:
        return "hang"


def work(folder):
    """Runs the cases in cases.json, and prints the outcome of each."""
    warnings.simplefilter("ignore")
    readers = _readers(folder / "whole")
    expected = {kind: read(folder / "whole" / kind) for kind, read in readers.items()}
    print("> ready", flush=True)
    for kind, seed in json.loads((folder / "cases.json").read_text()):
        damaged = folder / "damaged"
        shutil.rmtree(damaged, ignore_errors=True)
        damaged.mkdir()
        path = _copy(folder / "whole" / kind, damaged / kind)
        _damage(path, random.Random(f"{kind} {seed}"))
        with contextlib.redirect_stdout(sys.stderr):
            outcome = _outcome(readers[kind], damaged / kind, expected[kind])
        print(f"> {outcome}", flush=True)


def _outcome(read, path, expected):
    try:
        return "same" if read(path) == expected else "other"
    except CLEAN:
        return "refused"
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"


def _copy(source, target):
    copy = shutil.copytree if source.is_dir() else shutil.copy
    return Path(copy(source, target))


def _damage(path, rng):
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        ours = [p for p in files if p.suffix not in (".png", ".md")]
        path = rng.choice(ours)
    data = bytearray(path.read_bytes())
    at = rng.randrange(len(data))
    way = rng.choice(["cut", "flip", "overwrite"])
    if way == "cut":
        del data[at:]
    elif way == "flip":
        data[at] ^= 1 << rng.randrange(8)
    else:
        data[at : at + 64] = rng.randbytes(len(data[at : at + 64]))
    path.write_bytes(data)


def _readers(folder):
    """Writes a file of each kind, and returns a dict from kind to the function that
    reads it."""
    import stackrec_keras as sr
    from stackrec_keras.runs.model_file import read_model_file

    model = _write(sr, folder)

    def load_weights(path):
        model.load_weights(path)
        return _content(model)

    def train(path):
        split = sr.data.read_prepared(path)
        small = sr.NextItNet(split.num_items, 4, num_blocks=1)
        small.compile()
        small.fit(split.train.batches(64), epochs=1, verbose=0)
        return [part.items.tobytes() for part in (split.train, split.test)]

    def log(path):
        return sr.data.read_interactions(path).to_csv()

    def vocabulary(path):
        return sr.data.Vocabulary.from_json(path.read_text("utf-8")).to_json()

    def run(path):
        found = sr.runs.read_run(path)
        return str(found.config), found.results, _content(found.model)

    return {
        "model.keras": lambda path: _content(read_model_file(path)),
        "model.weights.h5": load_weights,
        "preset": lambda path: _content(sr.load_preset(path)),
        "run": run,
        "vocabulary.json": vocabulary,
        "log.csv": log,
        "log.csv.gz": log,
        "log.parquet": log,
        "prepared": train,
    }


def _write(sr, folder):
    """Writes the undamaged files, and returns the model in them."""
    if not folder.exists():
        folder.mkdir()
        log = sr.data.synthetic(num_users=60, num_items=30, events_per_user=15, seed=0)
        log.to_csv(folder / "log.csv", index=False)
        log.to_csv(folder / "log.csv.gz", index=False)
        log.to_parquet(folder / "log.parquet", index=False)
        prepared = sr.data.open_log(folder / "log.parquet")
        sr.data.prepare_log(prepared, folder / "prepared", 8)
        config = sr.runs.TrainConfig(
            data=str(folder / "log.csv"),
            model="sasrec",
            length=8,
            embedding_dim=8,
            num_blocks=1,
            schedule="1:2",
            epochs=2,
            batch_size=64,
        )
        sr.runs.train(config, folder / "run")
        sr.runs.publish(folder / "run", folder / "preset")
        shutil.copy(folder / "run" / "model.keras", folder)
        model = sr.runs.read_run(folder / "run").model
        model.save_weights(folder / "model.weights.h5")
        (folder / "vocabulary.json").write_text(model.vocabulary.to_json(), "utf-8")
    return sr.runs.read_run(folder / "run").model


def _content(model):
    from keras import ops

    variables = [*model.weights, *model.optimizer.variables]
    arrays = [ops.convert_to_numpy(variable).tobytes() for variable in variables]
    return arrays, model.vocabulary.to_json(), str(model.get_config())


if __name__ == "__main__":
    main()
