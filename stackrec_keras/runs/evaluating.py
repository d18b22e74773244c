"""Evaluating a run again: on its held-out rows, or on another log."""

from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path

import numpy as np

from stackrec_keras.data import make_windows
from stackrec_keras.errors import ArgumentError
from stackrec_keras.evaluation import final_results, seen_notes, table
from stackrec_keras.runs.callbacks.history_file import read_rows
from stackrec_keras.runs.config import TRANSFER
from stackrec_keras.runs.folder import RunFolder, run_notes
from stackrec_keras.runs.log_source import read_log
from stackrec_keras.runs.split_recipe import remake_split
from stackrec_keras.wording import counted


@dataclass(frozen=True)
class Evaluation:
    """The results of a run on some rows. Printing it shows their table.

    Attributes:
        num_rows: Integer, how many rows were ranked.
        results: Dict with the keys `"popularity"` and the model's title. Each value is
            a dict from metric to its value.
        notes: List of strings, the lines below the table.
    """

    num_rows: int
    results: dict[str, dict[str, float]] = field(repr=False)
    notes: list[str] = field(repr=False)

    def __str__(self) -> str:
        return table(self.results, self.notes)


def evaluate(
    run: str | PathLike,
    data: str | PathLike | None = None,
    exclude_seen: bool | None = None,
    **columns: str,
) -> Evaluation:
    """Evaluates the model of a run again, as `stackrec evaluate` does.

    Args:
        run: The run folder.
        data: Another log, as a file or the name of a data set. Each user's last item
            is ranked. Defaults to `None`, the rows that the run held out.
        exclude_seen: Boolean, whether to leave the items of the history out of the
            ranking. Defaults to `None`, as in training.
        **columns: `user`, `item` and `timestamp`, the columns of `data`. Default to
            those of the run's log.

    Returns:
        An `Evaluation`.

    Raises:
        ArgumentError: If `run` is not a run folder, or `data` does not fit its model.

    Example:

    ```python
    print(sr.runs.evaluate("runs/first", data="today.csv"))
    ```
    """
    folder = _run_folder(run)
    config = folder.read_config()
    model = folder.read_model()
    if data is None:
        rows, notes = _held_out_rows(folder, config, model)
    else:
        config = replace(config, data=data, **columns)
        rows, notes = _last_items(config, model, folder)
    excludes = model.exclude_seen if exclude_seen is None else exclude_seen
    before = folder.read_model("start") if folder.start.exists() else None
    results = final_results(
        model, rows, config.batch_size, before=before, exclude_seen=excludes
    )
    return Evaluation(len(rows), results, notes + seen_notes(model, rows, excludes))


def _run_folder(run):
    path = Path(run)
    if path.suffix != ".keras":
        return RunFolder(path)
    holder = RunFolder(path.parent)
    found = f": {path.parent}" if holder.config.exists() else " of `stackrec train`."
    raise ArgumentError(
        "folder",
        "is only a model; a run folder also records the held-out rows and the columns "
        "of the log",
        f"Give the run folder{found}",
        path,
    )


def _held_out_rows(folder, config, model):
    known = folder.known(model) if folder.start.exists() else None
    split = remake_split(config, folder.read("split"), known)
    seconds = sum(row["seconds"] for row in read_rows(folder.history))
    return split.test, run_notes(len(split.test), split.hash, seconds)


def _last_items(config, model, folder):
    if config.split == TRANSFER:
        raise ArgumentError(
            "data",
            f"has one catalogue, but the transfer run in {folder.path} has two",
            "Leave data out.",
            config.data,
        )
    log = read_log(config)
    known = model.vocabulary.encode(log["item"]) > 0
    windows = make_windows(log[known], model.vocabulary, model.trained_length + 1)
    if len(windows) == 0:
        raise ArgumentError(
            "data",
            "has no user with two items that the model knows",
            "Its items must have the same ids as in the log of the run.",
            config.data,
        )
    is_newest = np.r_[windows.users[1:] != windows.users[:-1], True]
    rows = windows.subset(is_newest)
    notes = [
        f"last item of {len(rows):,} of {counted(log['user'].nunique(), 'user')}",
        f"{(~known).sum():,} of {counted(len(log), 'event')} left out because of "
        "unknown items",
    ]
    if model.num_users is not None:
        users = folder.user_indices(rows.user_ids)[rows.users]
        rows = replace(rows, users=users, user_ids=None)
        notes.append(f"{counted(int((users < 0).sum()), 'user')} unknown to the model")
    return rows, notes
