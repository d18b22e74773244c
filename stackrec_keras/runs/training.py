"""Training: from a configuration to a run."""

import shutil
import sys
import tempfile
from dataclasses import fields, replace
from os import PathLike

import keras

from stackrec_keras.data import Batches, Vocabulary
from stackrec_keras.evaluation import model_title, training_counts
from stackrec_keras.runs.architectures import build_model
from stackrec_keras.runs.callbacks import Backup, BestEpoch, HistoryFile, MaxSeconds
from stackrec_keras.runs.callbacks.history_file import read_rows
from stackrec_keras.runs.config import (
    TrainConfig,
    check_model_options,
    check_new_run,
    check_same,
)
from stackrec_keras.runs.folder import RunFolder, write_description, write_results
from stackrec_keras.runs.growth_options import growth_table, stacking_callback
from stackrec_keras.runs.log_source import absolute_paths
from stackrec_keras.runs.run import Run, run_of
from stackrec_keras.runs.split_recipe import split_in
from stackrec_keras.runs.summary import ending
from stackrec_keras.runs.warm_start import load_trained

_FEW_STEPS, _ENOUGH_STEPS = 20, 50  # an epoch
_SMALL_BATCH = 8


def train(
    config: TrainConfig,
    out: str | PathLike | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> Run:
    """Trains a model that grows, as `stackrec train` does.

    Args:
        config: `TrainConfig`.
        out: The run folder to write. Defaults to `None`: nothing stays on disk.
        resume: Boolean, whether to go on with the run in `out`, whose configuration
            must be the same; starts it if there is none. Defaults to `False`.
        overwrite: Boolean, whether to replace the run in `out`. Defaults to `False`.

    Returns:
        A `Run`.

    Raises:
        ValueError: If the configuration or the data cannot be used, or `out` holds a
            run already; a run in the folder is untouched then.

    Example:

    ```python
    run = sr.runs.train(sr.runs.TrainConfig(data="synthetic", epochs=3))
    print(run)
    run.model.recommend([[1, 2, 3]])
    ```
    """
    if out is None:
        check_no_folder(resume, overwrite)
        with tempfile.TemporaryDirectory() as unkept:
            return replace(train(config, unkept), folder=None)
    folder = RunFolder(out)
    check_out(folder, resume, overwrite)
    config = replace(
        config, **absolute_paths({"data": config.data, "load_model": config.load_model})
    )
    resume = resume and folder.holds_run
    if resume:
        resumed_config(vars(config), folder)
        if folder.is_finished:
            return run_of(folder, folder.read_model())
    else:
        check_model_options(_changed(config), config.model)
        check_new_run(config)
    stacking_callback(config)  # an error in the options comes before the data
    split = split_in(folder, config, resume)
    print(split)
    return train_split(split, config, folder, resume)


def check_no_folder(resume, overwrite):
    """Raises a ValueError if a run that writes no folder is to have one."""
    if resume or overwrite:
        raise ValueError(
            "resume and overwrite say what becomes of the run in out, and out is None. "
            "Give out=FOLDER, or leave them out."
        )


def check_out(folder, resume, overwrite):
    """Raises a ValueError if a run of `train` cannot be in that `RunFolder`."""
    if not (resume or overwrite):
        folder.check_free()
    if resume and folder.start.exists():
        raise ValueError(
            f"--out {folder.path} holds a model that was grown from another. Go on "
            f"with it: stackrec grow OLD --out {folder.path} --resume"
        )


def resumed_config(asked, folder):
    """Returns the configuration of the run in a folder, which must not change.

    Args:
        asked: Dict from fields of `TrainConfig` to values.
        folder: `RunFolder`.
    """
    config = folder.read_config()
    way_out = "Leave the option out to --resume, or give another --out."
    check_same(asked, config, f"the run in {folder.path}", way_out)
    return config


def _changed(config):
    """The fields of a configuration that are not the default."""
    values = vars(config)
    return {
        f.name: values[f.name] for f in fields(config) if values[f.name] != f.default
    }


def train_split(split, config, folder, resume=False):
    """As `train`, on a `Split` that was made already and in a `RunFolder`."""
    begun = resume and (folder.model.exists() or Backup(folder.backup).holds_epoch)
    model = _untrained_model(config, split)
    if config.load_model is not None and not begun:
        load_trained(model, config, split)
    compile_model(model, config, loss=config.loss)
    return train_model(model, split, config, folder, resume)


def train_model(model, split, config, folder, resume=False):
    """As `train_split`, with a compiled model."""
    growth = stacking_callback(config)
    announce(config, growth, model, len(split.train))
    if not resume:
        folder.clear()
    write_description(config, folder, split)
    return train_on(config, folder, split, model, growth)


def train_on(config, folder, split, model, growth):
    """Trains a compiled model, and writes what its folder lacks but the description.

    Returns:
        The `Run`.
    """
    if folder.model.exists():  # the run was cut off after its training
        model = folder.read_model()
    else:
        _fit(config, folder, split, model, growth)
        folder.write_model(model)
    _say_ending(config, folder, growth)
    write_results(config, folder, split, model)
    shutil.rmtree(folder.backup, ignore_errors=True)
    return run_of(folder, model)


def _untrained_model(config, split):
    keras.utils.set_random_seed(config.seed)
    model = build_model(config, split)
    model.vocabulary = Vocabulary(split.vocabulary.ids, training_counts(split.train))
    return model


def compile_model(model, config, **arguments):
    """Compiles a model with the optimizer of a configuration."""
    model.compile(
        optimizer=keras.optimizers.Adam(config.learning_rate),
        exclude_seen=config.exclude_seen,
        jit_compile={"auto": "auto", "on": True, "off": False}[config.jit],
        **arguments,
    )


def announce(config, growth, model, rows):
    """Prints what is to be trained on how many rows, and how it grows."""
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


def _fit(config, folder, split, model, growth):
    # Deleted by `train_on` once the model itself is written.
    backup = Backup(folder.backup)
    callbacks = _callbacks(config, folder, growth)
    stops = [c for c in callbacks if hasattr(c, "stopped_before")]
    epoch = backup.restore(model)
    if any(stop.stopped_before(epoch) for stop in stops):
        epoch = config.epochs  # what is left is the end of training
    size = config.batch_size
    model.fit(
        Batches(
            split.train,
            size,
            seed=config.seed,
            features=model.features,
            share_by=config.share_by,
        ),
        validation_data=split.validation.batches(
            size, evaluation=True, features=model.features
        ),
        initial_epoch=epoch,
        epochs=config.epochs,
        callbacks=[*callbacks, backup],
        verbose=verbose(),
    )


def _callbacks(config, folder, growth):
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
    growths = None if growth is None else growth_table(config, growth)
    line = ending(config, read_rows(folder.history), growths or {})
    if line is not None:
        print(line)


def verbose():
    """Returns the `verbose` of a fit: a line an epoch where nobody watches."""
    return 1 if sys.stdout.isatty() else 2
