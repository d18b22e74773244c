"""`stackrec train`: from a log to a run folder."""

import shutil
import sys

from stackrec_keras.cli.config import (
    TrainConfig,
    add_options,
    check_model_options,
    option_name,
    typed_options,
)
from stackrec_keras.cli.logs import absolute
from stackrec_keras.cli.models import build_model, takes_users
from stackrec_keras.cli.run_folder import RunFolder

_DESCRIPTION = """\
Train a recommender that grows while it trains, and write a run folder: the model
(model.keras, with the raw item ids in it), its history (history.csv, history.json),
the learning curve with the growths marked (learning_curve.png), the final table on
held-out rows beside the popularity baseline (metrics.md, metrics.json), and what it
takes to do it again (config.json, split.json, environment.json)."""


def add_parser(subparsers):
    """Adds the command to the command line."""
    import argparse

    parser = subparsers.add_parser(
        "train",
        help="train a model that grows, and write a run folder",
        description=_DESCRIPTION,
        epilog="Example: stackrec train --data clicks.csv --user session --out runs/a "
        '--num-blocks 4 --schedule "2:8,5:16"',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", required=True, metavar="FOLDER", help="the run folder to write"
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in --out, with the options it was started with; "
        "starts it if there is none",
    )
    again.add_argument(
        "--overwrite", action="store_true", help="replace the run that is in --out"
    )
    add_options(parser)
    return parser


def run(args):
    """Runs the command."""
    folder = RunFolder(args.out)
    if not (args.resume or args.overwrite):
        folder.check_free()
    config = _configuration(args, folder)
    if args.resume and folder.is_finished:
        print(f"The run in {folder.path} is finished.\n")
        print(folder.table.read_text(encoding="utf-8"), end="")
        return
    train(config, folder, resume=args.resume)


def train(config, folder, resume=False):
    """Trains a model and writes its run folder.

    Args:
        config: `TrainConfig`.
        folder: `RunFolder`.
        resume: Boolean, whether to go on with what is in the folder. If not, a run
            that is there is replaced.

    Raises:
        ValueError: If the configuration or the data cannot be used; a run in the
            folder is untouched then.
    """
    from stackrec_keras.cli.growth import stacking_callback
    from stackrec_keras.cli.splits import make_split, remake_split

    growth = stacking_callback(config)
    if resume and folder.split.exists():
        split = remake_split(config, folder.read("split"))
    else:
        split = make_split(config)
    print(split)
    model = _compiled_model(config, split)
    _announce(config, growth, model)
    if not resume:
        folder.clear()
    write_description(config, folder, split)
    if folder.model.exists():  # the run was cut off after its training
        model = folder.read_model()
    else:
        _fit(config, folder, split, model, growth)
        folder.write_model(model)
    write_results(config, folder, split, model)
    shutil.rmtree(folder.backup, ignore_errors=True)


def _configuration(args, folder):
    typed = typed_options(args)
    if "data" in typed:
        typed["data"] = absolute(typed["data"])
    if not (args.resume and folder.config.exists()):
        check_model_options(typed, typed.get("model", TrainConfig.model))
        return TrainConfig(**typed)
    config = folder.read_config()
    for name, value in typed.items():
        if value != getattr(config, name):
            raise ValueError(
                f"{option_name(name)} {value} does not fit the run in {folder.path}, "
                f"which was started with {getattr(config, name)}. Leave the option "
                "out to --resume, or give another --out."
            )
    return config


def _compiled_model(config, split):
    import keras

    from stackrec_keras.cli.results import training_counts
    from stackrec_keras.data import Vocabulary

    keras.utils.set_random_seed(config.seed)
    model = build_model(config, split)
    model.vocabulary = Vocabulary(split.vocabulary.ids, training_counts(split.train))
    model.compile(
        optimizer=keras.optimizers.Adam(config.learning_rate),
        loss=config.loss,
        jit_compile={"auto": "auto", "on": True, "off": False}[config.jit],
    )
    return model


def _announce(config, growth, model):
    from stackrec_keras.cli.growth import growth_table
    from stackrec_keras.cli.results import model_title

    text = f"{model_title(model)}, {model.count_params():,} parameters"
    if growth is None:
        print(f"{text}; no growth")
        return
    table = growth_table(config, growth)
    plan = "when val_mrr@5 stops rising"
    if table is not None:
        plan = ", ".join(f"{n} blocks from epoch {e}" for e, n in table.items())
    print(f"{text}; {config.method}: {plan}")


def write_description(config, folder, split):
    """Writes what it takes to do a run again."""
    from stackrec_keras.cli.environment import environment
    from stackrec_keras.cli.splits import describe_split

    folder.write("config", config.to_json())
    folder.write("split", describe_split(config, split))
    folder.write("environment", environment())
    if takes_users(config):
        folder.write("users", split.train.user_ids.tolist())


def _fit(config, folder, split, model, growth):
    users = takes_users(config)
    size = config.batch_size
    model.fit(
        split.train.batches(size, seed=config.seed, with_users=users),
        validation_data=split.validation.batches(
            size, evaluation=True, with_users=users
        ),
        epochs=config.epochs,
        callbacks=_callbacks(config, folder, growth),
        verbose=verbose(),
    )


def _callbacks(config, folder, growth):
    import keras

    from stackrec_keras.cli.best_epoch import BestEpoch
    from stackrec_keras.cli.history_file import HistoryFile

    callbacks = [] if growth is None else [growth]
    callbacks.append(HistoryFile(folder.history))
    if config.patience is not None:
        best = folder.backup / "best.weights.h5"
        callbacks.append(BestEpoch(config.patience, best, folder.history))
    # Deleted by `train` once the model itself is written.
    backup = keras.callbacks.BackupAndRestore(
        str(folder.backup), double_checkpoint=True, delete_checkpoint=False
    )
    return [*callbacks, backup]


def write_results(config, folder, split, model):
    """Writes and prints what became of a run, from its model and history.csv."""
    from stackrec_keras import plot
    from stackrec_keras.cli.history_file import as_history, read_rows
    from stackrec_keras.cli.results import final_results, table

    history = as_history(read_rows(folder.history))
    folder.write("history_json", history)
    plot.history(history, folder.curve)
    results = final_results(model, split.test, config.batch_size)
    seconds = round(sum(history["seconds"]), 1)
    notes = run_notes(len(split.test), split.hash, seconds)
    folder.table.write_text(table(results, notes) + "\n", encoding="utf-8")
    # Last of all: it is what tells a finished run.
    folder.write(
        "metrics",
        {
            "rows": len(split.test),
            "split": split.hash,
            "training_seconds": seconds,
            "results": results,
        },
    )
    print(f"\n{table(results, notes)}\n\nRun folder: {folder.path}")


def run_notes(rows, split_hash, seconds):
    """Returns the notes below the table of a run."""
    return [
        f"{rows:,} held-out rows",
        f"split {split_hash}",
        f"training {seconds:,.1f} s",
    ]


def verbose():
    """Returns the `verbose` of a fit: a line an epoch where nobody watches."""
    return 1 if sys.stdout.isatty() else 2
