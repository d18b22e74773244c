"""`stackrec evaluate`: evaluates the model of a run again."""

import json
from dataclasses import replace
from pathlib import Path

from stackrec_keras.cli.options import add_options, add_trained_options, typed_options
from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.config import TRANSFER
from stackrec_keras.runs.folder import RunFolder
from stackrec_keras.runs.log_source import read_log


def add_parser(subparsers):
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "evaluate",
        help="evaluate the model of a run folder",
        description="Rank all items for the held-out rows of a run, and compare "
        "with the popularity baseline; with --data, for the last item of each user of "
        "another log.",
        epilog="Example: stackrec evaluate runs/first --data today.csv",
    )
    add_trained_options(parser)
    parser.add_argument(
        "--data", metavar="NAME_OR_PATH", help="another log (default: the run's own)"
    )
    names = ("user", "item", "timestamp", "exclude_seen")
    add_options(parser, names, of_run=True)
    return parser


def run(args):
    """Runs the command."""
    from stackrec_keras.evaluation import final_results, seen_notes, table

    folder = _run_folder(args.folder)
    config = folder.read_config()
    model = folder.read_model()
    if args.data is not None and config.split == TRANSFER:
        raise ArgumentError(
            "data",
            f"has one catalogue, but the run in {folder.path} has a second one",
            "Leave it out.",
            args.data,
        )
    if args.data is None:
        rows, notes = _held_out_rows(folder, config, model)
    else:
        rows, notes = _last_items(args, config, model, folder)
    excludes = getattr(args, "exclude_seen", model.exclude_seen)
    notes += seen_notes(model, rows, excludes)
    before = folder.read_model("start") if folder.start.exists() else None
    results = final_results(
        model, rows, config.batch_size, before=before, exclude_seen=excludes
    )
    if args.json:
        print(json.dumps({"rows": len(rows), "results": results}, indent=2))
    else:
        print(table(results, notes))


def _run_folder(typed):
    path = Path(typed)
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
    from stackrec_keras.runs.callbacks.history_file import read_rows
    from stackrec_keras.runs.folder import run_notes
    from stackrec_keras.runs.split_recipe import remake_split

    known = folder.known(model) if folder.start.exists() else None
    split = remake_split(config, folder.read("split"), known)
    seconds = sum(row["seconds"] for row in read_rows(folder.history))
    return split.test, run_notes(len(split.test), split.hash, seconds)


def _last_items(args, config, model, folder):
    import numpy as np

    from stackrec_keras.data import make_windows

    log = read_log(replace(config, **typed_options(args)))
    known = model.vocabulary.encode(log["item"]) > 0
    windows = make_windows(log[known], model.vocabulary, model.trained_length + 1)
    if len(windows) == 0:
        raise ArgumentError(
            "data",
            "has no user with two items that the model knows",
            "Its items must have the same ids as in the log of the run.",
            args.data,
        )
    is_newest = np.r_[windows.users[1:] != windows.users[:-1], True]
    rows = windows.subset(is_newest)
    notes = [
        f"last item of {len(rows):,} of {log['user'].nunique():,} users",
        f"{(~known).sum():,} of {len(log):,} events left out because their items are "
        "unknown",
    ]
    if model.num_users is not None:
        users = folder.user_indices(rows.user_ids)[rows.users]
        rows = replace(rows, users=users, user_ids=None)
        notes.append(f"{int((users < 0).sum()):,} users unknown to the model")
    return rows, notes
