"""`stackrec train`: from a log to a run folder."""

import shutil
import sys
from dataclasses import replace

from stackrec_keras.cli.config import (
    TrainConfig,
    add_options,
    add_out_options,
    check_model_options,
    check_new_run,
    check_same,
)
from stackrec_keras.cli.load_model import load_trained
from stackrec_keras.cli.logs import typed_with_paths
from stackrec_keras.cli.models import build_model, takes_users
from stackrec_keras.cli.run_folder import RunFolder

_FEW_STEPS, _ENOUGH_STEPS = 20, 50  # an epoch
_SMALL_BATCH = 8

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
    add_out_options(parser)
    add_options(parser)
    return parser


def run(args):
    """Runs the command."""
    folder = RunFolder(args.out)
    if not (args.resume or args.overwrite):
        folder.check_free()
    if args.resume and folder.start.exists():
        raise ValueError(
            f"--out {folder.path} holds a model that was grown from another. Go on "
            f"with it: stackrec grow OLD --out {folder.path} --resume"
        )
    config = _configuration(args, folder)
    resume = args.resume and folder.holds_run
    if resume and folder.is_finished:
        print_finished(folder)
        return
    train(config, folder, resume)


def print_finished(folder, what="run"):
    """Prints the table of a run that is at its end."""
    print(f"The {what} in {folder.path} is finished.\n")
    print(folder.table.read_text(encoding="utf-8"), end="")


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
    from stackrec_keras.cli.splits import split_in

    stacking_callback(config)  # an error in the options comes before the data
    split = split_in(folder, config, resume)
    print(split)
    train_split(split, config, folder, resume)


def train_split(split, config, folder, resume=False):
    """As `train`, on a `Split` that was made already."""
    from stackrec_keras.cli.backup import Backup

    begun = resume and (folder.model.exists() or Backup(folder.backup).holds_epoch)
    model = _untrained_model(config, split)
    if config.load_model is not None and not begun:
        load_trained(model, config, split)
    compile_model(model, config, loss=config.loss)
    train_model(model, split, config, folder, resume)


def train_model(model, split, config, folder, resume=False):
    """As `train_split`, with a compiled model."""
    from stackrec_keras.cli.growth import stacking_callback

    growth = stacking_callback(config)
    announce(config, growth, model, len(split.train))
    if not resume:
        folder.clear()
    write_description(config, folder, split)
    train_on(config, folder, split, model, growth)


def train_on(config, folder, split, model, growth):
    """Trains a compiled model, and writes what its folder lacks but the description."""
    if folder.model.exists():  # the run was cut off after its training
        model = folder.read_model()
    else:
        _fit(config, folder, split, model, growth)
        folder.write_model(model)
    _say_ending(config, folder, growth)
    write_results(config, folder, split, model)
    shutil.rmtree(folder.backup, ignore_errors=True)


def _configuration(args, folder):
    if args.resume and folder.holds_run:
        return resumed_config(args, folder)
    typed = typed_with_paths(args)
    config = TrainConfig()
    if args.resume and folder.config.exists():  # it was stopped in its first epoch
        config = folder.read_config()
    config = replace(config, **typed)
    check_model_options(typed, config.model)
    check_new_run(config)
    return config


def resumed_config(args, folder):
    """Returns the configuration of a run, which the options typed must not change."""
    typed = typed_with_paths(args)
    config = folder.read_config()
    way_out = "Leave the option out to --resume, or give another --out."
    check_same(typed, config, f"the run in {folder.path}", way_out)
    return config


def _untrained_model(config, split):
    import keras

    from stackrec_keras.cli.results import training_counts
    from stackrec_keras.data import Vocabulary

    keras.utils.set_random_seed(config.seed)
    model = build_model(config, split)
    model.vocabulary = Vocabulary(split.vocabulary.ids, training_counts(split.train))
    return model


def compile_model(model, config, **arguments):
    """Compiles a model with the optimizer of a configuration."""
    import keras

    model.compile(
        optimizer=keras.optimizers.Adam(config.learning_rate),
        exclude_seen=config.exclude_seen,
        jit_compile={"auto": "auto", "on": True, "off": False}[config.jit],
        **arguments,
    )


def announce(config, growth, model, rows):
    """Prints what is to be trained on how many rows, and how it grows."""
    from stackrec_keras.cli.growth import growth_table
    from stackrec_keras.cli.results import model_title

    plan = "no growth"
    if growth is not None:
        table = growth_table(config, growth)
        plan = f"{config.method}: when val_mrr@5 stops rising"
        if table is not None:
            plan = ", ".join(f"{n} blocks from epoch {e}" for e, n in table.items())
            plan = f"{config.method}: {plan} (epochs count from 0)"
    print(f"{model_title(model)}, {model.count_params():,} parameters; {plan}")
    steps = -(-rows // config.batch_size)
    print(f"{steps:,} steps an epoch of {rows:,} rows")
    fitting = _fitting_batch_size(rows)
    if steps < _FEW_STEPS and config.batch_size > fitting:
        print(
            f"So few steps learn little: --batch-size {config.batch_size} is large for "
            f"so few rows. Give --batch-size {fitting}, or more --epochs."
        )


def _fitting_batch_size(rows):
    """The largest power of two with enough steps an epoch, if that is not too small."""
    size = _SMALL_BATCH
    while 2 * size * _ENOUGH_STEPS <= rows:
        size *= 2
    return size


def write_description(config, folder, split, arguments=None):
    """Writes what it takes to do a run again; `arguments` are those of its split."""
    from stackrec_keras.cli.environment import environment
    from stackrec_keras.cli.splits import describe_split

    folder.write("config", config.to_json())
    folder.write("split", describe_split(config, split, arguments))
    folder.write("environment", environment())
    if takes_users(config):
        folder.write("users", split.train.user_ids.tolist())


def _fit(config, folder, split, model, growth):
    from stackrec_keras.cli.backup import Backup
    from stackrec_keras.data import Batches

    # Deleted by `train_on` once the model itself is written.
    backup = Backup(folder.backup)
    callbacks = _callbacks(config, folder, growth)
    stops = [c for c in callbacks if hasattr(c, "stopped_before")]
    epoch = backup.restore(model)
    if any(stop.stopped_before(epoch) for stop in stops):
        epoch = config.epochs  # what is left is the end of training
    users = takes_users(config)
    size = config.batch_size
    model.fit(
        Batches(
            split.train,
            size,
            seed=config.seed,
            with_users=users,
            share_by=config.share_by,
        ),
        validation_data=split.validation.batches(
            size, evaluation=True, with_users=users
        ),
        initial_epoch=epoch,
        epochs=config.epochs,
        callbacks=[*callbacks, backup],
        verbose=verbose(),
    )


def _callbacks(config, folder, growth):
    from stackrec_keras.cli.best_epoch import BestEpoch
    from stackrec_keras.cli.history_file import HistoryFile
    from stackrec_keras.cli.max_seconds import MaxSeconds

    callbacks = [] if growth is None else [growth]
    callbacks.append(HistoryFile(folder.history))
    if config.patience is not None:
        best = folder.backup / "best.weights.h5"
        deepest = config.best_of == "deepest"
        callbacks.append(
            BestEpoch(config.patience, best, folder.history, deepest=deepest)
        )
    if config.max_seconds is not None:
        callbacks.append(MaxSeconds(config.max_seconds, folder.history))
    return callbacks


def _say_ending(config, folder, growth):
    from stackrec_keras.cli.ending import ending
    from stackrec_keras.cli.growth import growth_table
    from stackrec_keras.cli.history_file import read_rows

    growths = None if growth is None else growth_table(config, growth)
    line = ending(config, read_rows(folder.history), growths or {})
    if line is not None:
        print(line)


def write_results(config, folder, split, model):
    """Writes and prints what became of a run, from its model and history.csv."""
    from stackrec_keras import plot
    from stackrec_keras.cli.history_file import as_history, read_rows
    from stackrec_keras.cli.results import final_results, seen_notes, table

    history = as_history(read_rows(folder.history))
    folder.write("history_json", history)
    plot.history(history, folder.curve)
    before = folder.read_model("start") if folder.start.exists() else None
    results = final_results(model, split.test, config.batch_size, before=before)
    seconds = round(sum(history["seconds"]), 1)
    notes = run_notes(len(split.test), split.hash, seconds)
    notes += seen_notes(model, split.test, model.exclude_seen)
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
