"""The folder of a training run, and the names of its files."""

import json
import os
import shutil
from pathlib import Path

from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.config import TrainConfig
from stackrec_keras.runs.model_file import read_model_file
from stackrec_keras.wording import counted

PRESET_FILE = "preset.json"  # marks a folder that `publish` wrote


class RunFolder:
    """The files of one training run.

    Args:
        path: The folder; it need not exist.

    Attributes:
        path: `Path` of the folder. The other attributes (`model`, `history`, ...) are
            the paths of its files.
    """

    model: Path
    start: Path
    history: Path
    history_json: Path
    config: Path
    environment: Path
    curve: Path
    metrics: Path
    table: Path
    split: Path
    users: Path
    backup: Path

    _FILES = {
        "model": "model.keras",
        "start": "start.keras",
        "history": "history.csv",
        "history_json": "history.json",
        "config": "config.json",
        "environment": "environment.json",
        "curve": "learning_curve.png",
        "metrics": "metrics.json",
        "table": "metrics.md",
        "split": "split.json",
        "users": "users.json",
        "backup": "backup",
    }

    def __init__(self, path):
        self.path = Path(path)
        for name, file in self._FILES.items():
            setattr(self, name, self.path / file)

    @property
    def holds_run(self):
        """Whether the folder holds a finished run, or one that can be continued."""
        files = (self.model, self.start, self.history, self.backup)
        return any(path.exists() for path in files)

    @property
    def is_finished(self):
        """Whether the run has trained its model and written its results."""
        return self.metrics.exists() and self.model.exists()

    @property
    def is_preset(self):
        """Whether the folder holds a published model instead of a run."""
        return (self.path / PRESET_FILE).exists()

    def check_path(self):
        """Checks that `path` can be a folder."""
        if self.path.exists() and not self.path.is_dir():
            raise ArgumentError("out", "is a file", "Give a folder.", self.path)
        for parent in self.path.parents:
            if parent.is_file():
                raise ArgumentError(
                    "out",
                    f"would lie in {parent}, which is a file",
                    "Give another folder.",
                    self.path,
                )

    def check_free(self):
        """Checks that a new run can be written here."""
        self.check_path()
        if self.holds_run:
            raise ArgumentError(
                "out",
                "already holds a run",
                "Continue it (resume), replace it (overwrite), or give another folder.",
                self.path,
                "Continue it (--resume), replace it (--overwrite), or give another "
                "folder.",
            )

    def clear(self):
        """Removes the files of a run, and nothing else."""
        for name in self._FILES:
            path = getattr(self, name)
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def read_config(self):
        """Returns the `TrainConfig` of the run."""
        if self.is_preset:  # its config.json is that of Keras
            raise FileNotFoundError(self._missing("model"))
        return TrainConfig.from_json(self.read("config"))

    def read_model(self, name="model"):
        """Returns the trained model. In the folder of a grown model, `"start"` names
        the model that training began with."""
        path = getattr(self, name)
        if not path.exists():
            raise FileNotFoundError(self._missing(name))
        return read_model_file(path)

    def read(self, name):
        """Returns the contents of a JSON file of the run."""
        path = getattr(self, name)
        if not path.exists():
            raise FileNotFoundError(self._missing(name))
        return json.loads(path.read_text(encoding="utf-8"))

    def write(self, name, value):
        """Writes a JSON file of the run atomically."""
        path = getattr(self, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.partial")
        text = json.dumps(value, indent=2, ensure_ascii=False)
        partial.write_text(text + "\n", encoding="utf-8")
        os.replace(partial, path)

    def write_model(self, model, name="model"):
        """Writes a model atomically."""
        partial = self.path / "partial.keras"
        model.save(partial)
        os.replace(partial, getattr(self, name))

    def known(self, model):
        """Returns the model's vocabulary and, if it has users, their raw ids. A split
        by time needs them to train the model further: see `make_split`."""
        known = {"vocabulary": model.vocabulary}
        if model.num_users is not None:
            known["user_ids"] = self.read("users")
        return known

    def user_indices(self, users):
        """Returns an array with the model's index of each raw user id, -1 for a user
        unknown to the model."""
        import numpy as np
        import pandas as pd

        # Compare as strings: one log may have numbers where a later one has strings.
        known = pd.Index([str(user) for user in self.read("users")])
        return known.get_indexer([str(user) for user in users]).astype(np.int32)

    def _missing(self, name):
        if self.is_preset:
            return (
                f"{self.path} is a preset, not a run folder: it records no log. Load "
                "its model with sr.load_preset"
            )
        if self.config.exists():
            command = "grow OLD" if self.start.exists() else "train"
            return (
                f"{self.path} has no {self._FILES[name]}: its run is not finished. "
                f"Continue it: stackrec {command} --out {self.path} --resume"
            )
        return (
            f"{self.path} is not a run folder (it has no {self._FILES[name]}). Make "
            f"one: stackrec train --data ... --out {self.path}"
        )


def write_description(config, folder, split, arguments=None):
    """Writes what is needed to repeat a run, including the `arguments` of its split."""
    from stackrec_keras.runs.architectures import takes_users
    from stackrec_keras.runs.environment import environment
    from stackrec_keras.runs.split_recipe import describe_split

    folder.write("config", config.to_json())
    folder.write("split", describe_split(config, split, arguments))
    folder.write("environment", environment())
    if takes_users(config):
        folder.write("users", split.train.user_ids.tolist())


def write_results(config, folder, split, model):
    """Writes the results of a run, from its model and history.csv."""
    from stackrec_keras import plot
    from stackrec_keras.evaluation import final_results, seen_notes, table
    from stackrec_keras.runs.callbacks.history_file import as_history, read_rows

    history = as_history(read_rows(folder.history))
    folder.write("history_json", history)
    plot.history(history, folder.curve)
    before = folder.read_model("start") if folder.start.exists() else None
    results = final_results(model, split.test, config.batch_size, before=before)
    seconds = round(sum(history["seconds"]), 1)
    notes = run_notes(len(split.test), split.hash, seconds)
    notes += seen_notes(model, split.test, model.exclude_seen)
    folder.table.write_text(table(results, notes) + "\n", encoding="utf-8")
    # Written last: this file marks a run as finished.
    folder.write(
        "metrics",
        {
            "rows": len(split.test),
            "split": split.hash,
            "training_seconds": seconds,
            "results": results,
        },
    )


def run_notes(rows, split_hash, seconds):
    """Returns the notes below the table of a run."""
    return [
        counted(rows, "held-out row"),
        f"split {split_hash}",
        f"training {seconds:,.1f} s",
    ]
