"""Trains a model as a configuration says, and writes its run folder."""

import shutil
import sys
import tempfile
from dataclasses import fields, replace
from os import PathLike

import keras

from stackrec_keras.data import Batches, Vocabulary
from stackrec_keras.errors import ArgumentError
from stackrec_keras.evaluation import model_title, training_counts
from stackrec_keras.losses import LOSSES
from stackrec_keras.runs.architectures import build_model
from stackrec_keras.runs.callbacks import (
    Backup,
    BestEpoch,
    ClockProgress,
    HistoryFile,
    MaxSeconds,
)
from stackrec_keras.runs.callbacks.history_file import read_rows
from stackrec_keras.runs.config import MONITOR, TrainConfig
from stackrec_keras.runs.devices import check_devices, on_devices
from stackrec_keras.runs.folder import RunFolder, write_description, write_results
from stackrec_keras.runs.growth_options import growth_table, stacking_callback
from stackrec_keras.runs.log_source import absolute_paths
from stackrec_keras.runs.option_checks import (
    check_model_options,
    check_new_run,
    check_same,
    loss_options,
)
from stackrec_keras.runs.prepared_data import with_prepared_options
from stackrec_keras.runs.run import Run, finished_run, run_of
from stackrec_keras.runs.split_recipe import split_in
from stackrec_keras.runs.summary import ending
from stackrec_keras.runs.warm_start import load_trained
from stackrec_keras.schedules import WarmupStableDecay
from stackrec_keras.wording import counted

_FEW_STEPS, _ENOUGH_STEPS = 20, 50  # per epoch
_SMALL_BATCH = 8
# How a model grows under a schedule that follows a metric.
_PLANS = {
    "plateau": f"grows when {MONITOR} stops rising",
    "look_ahead": "grows as long as a trial of more blocks lowers val_loss",
}


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
        resume: Boolean, whether to continue the run in `out` (with the same
            configuration), or start one if there is none. Defaults to `False`.
        overwrite: Boolean, whether to replace the run in `out`. Defaults to `False`.

    Returns:
        A `Run`.

    Raises:
        ArgumentError: If the configuration or the data cannot be used, or `out`
            already holds a run, which is then left untouched.

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
    paths = ("data", "load_model", "item_features")
    paths = absolute_paths({name: getattr(config, name) for name in paths})
    config = with_prepared_options(replace(config, **paths))
    resume = resume and folder.holds_run
    if resume:
        resumed_config(vars(config), folder)
        if folder.is_finished:
            return finished_run(folder)
    else:
        check_model_options(_changed(config), config.model)
        check_new_run(config)
    # These calls raise errors about the options before the data are read.
    stacking_callback(config)
    training_loss(config)
    check_devices(config.devices)
    split = split_in(folder, config, resume)
    print(split)
    return train_split(split, config, folder, resume)


def check_no_folder(resume, overwrite):
    """Refuses options about the run folder if the run writes none."""
    if resume or overwrite:
        raise ArgumentError(
            "resume" if resume else "overwrite",
            "is about the run in `out`, and `out` is None",
            "Give `out` a folder, or leave this option out.",
            True,
        )


def check_out(folder, resume, overwrite):
    """Checks that `train` can write its run into a `RunFolder`."""
    if not (resume or overwrite):
        folder.check_free()
    if resume and folder.start.exists():
        raise ArgumentError(
            "out",
            "holds a model that was grown from another",
            f"Resume it with `grow`: stackrec grow OLD --out {folder.path} --resume",
            folder.path,
        )


def resumed_config(asked, folder):
    """Returns the configuration of the run in a folder, after checking it against
    `asked`.

    Args:
        asked: Dict from fields of `TrainConfig` to values.
        folder: `RunFolder`.
    """
    config = folder.read_config()
    fix = "Leave it out to resume the run, or write to another folder."
    check_same(asked, config, f"the run in {folder.path}", fix)
    return config


def _changed(config):
    """Returns the fields of a configuration that differ from the default."""
    values = vars(config)
    return {
        f.name: values[f.name] for f in fields(config) if values[f.name] != f.default
    }


def train_split(split, config, folder, resume=False):
    """Trains on a `Split`, as `train` does, and writes a `RunFolder`."""
    with on_devices(config.devices) as are_several:
        run = _train_split(split, config, folder, resume)
    return read_anywhere(run) if are_several else run


def _train_split(split, config, folder, resume):
    begun = resume and (folder.model.exists() or Backup(folder.backup).holds_epoch)
    model = _untrained_model(config, split)
    if config.load_model is not None and not begun:
        load_trained(model, config, split)
    compile_model(model, config, loss=training_loss(config))
    return train_model(model, split, config, folder, resume)


def read_anywhere(run):
    """Returns a `Run` whose model is on one device, read from its folder."""
    return replace(run, model=RunFolder(run.folder).read_model())


def train_model(model, split, config, folder, resume=False):
    """Trains a compiled model, as `train_split` does."""
    growth = stacking_callback(config)
    if growth is not None:  # before an earlier run is removed
        growth.check(model, config.epochs)
    announce(config, growth, model, len(split.train))
    if not resume:
        folder.clear()
    write_description(config, folder, split)
    return train_on(config, folder, split, model, growth)


def train_on(config, folder, split, model, growth):
    """Trains a compiled model, and writes the run folder except for its description.

    Returns:
        The `Run`.
    """
    if folder.model.exists():  # the run was interrupted after its training
        model = folder.read_model()
    else:
        _fit(config, folder, split, model, growth)
        folder.write_model(model)
    _print_summary(config, folder, growth)
    write_results(config, folder, split, model)
    shutil.rmtree(folder.backup, ignore_errors=True)
    return run_of(folder, model)


def _untrained_model(config, split):
    keras.utils.set_random_seed(config.seed)
    model = build_model(config, split)
    model.vocabulary = Vocabulary(split.vocabulary.ids, training_counts(split.train))
    return model


def training_loss(config):
    """Returns the loss of a configuration."""
    return LOSSES[config.loss](**loss_options(config))


def compile_model(model, config, **arguments):
    """Compiles a model with the optimizer of a configuration."""
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate(config)),
        exclude_seen=config.exclude_seen,
        jit_compile={"auto": "auto", "on": True, "off": False}[config.jit],
        **arguments,
    )


def learning_rate(config):
    """Returns the learning rate of a configuration, or its schedule."""
    if not config.warmup and not config.decay:
        return config.learning_rate
    return WarmupStableDecay(config.learning_rate, config.warmup, config.decay)


def announce(config, growth, model, rows):
    """Prints the model, how it grows, and the number of rows and steps."""
    plan = "no growth"
    if growth is not None and config.schedule != "none":
        table = growth_table(config, growth)
        if table is None:
            plan = _PLANS[config.schedule]
        else:
            plan = ", ".join(f"{n} blocks from epoch {e}" for e, n in table.items())
            plan += " (epochs count from 0)"
        plan = f"{config.method}: {plan}"
    print(f"{model_title(model)}, {model.count_params():,} parameters; {plan}")
    steps = -(-rows // config.batch_size)
    print(f"{counted(rows, 'training row')}, {counted(steps, 'step')} per epoch")
    fitting = _fitting_batch_size(rows)
    if steps < _FEW_STEPS and config.batch_size > fitting:
        print(
            f"With so few steps the model learns little. Use a smaller batch size "
            f"(now {config.batch_size}), such as {fitting}, or more epochs."
        )


def _fitting_batch_size(rows):
    """Returns the largest power of two that gives enough steps per epoch as batch size,
    but at least `_SMALL_BATCH`."""
    size = _SMALL_BATCH
    while 2 * size * _ENOUGH_STEPS <= rows:
        size *= 2
    return size


def _fit(config, folder, split, model, growth):
    # `train_on` deletes the backup once the trained model is written.
    backup = Backup(folder.backup)
    callbacks = _callbacks(config, folder, growth)
    stops = [c for c in callbacks if hasattr(c, "stopped_before")]
    epoch = backup.restore(model)
    if any(stop.stopped_before(epoch) for stop in stops):
        epoch = config.epochs  # `fit` runs no epoch, only `on_train_end`
    shape = {
        "batch_size": config.batch_size,
        "features": model.features,
        "group_by_length": config.group_by_length,
    }
    model.fit(
        Batches(split.train, seed=config.seed, share_by=config.share_by, **shape),
        validation_data=Batches(split.validation, evaluation=True, **shape),
        initial_epoch=epoch,
        epochs=config.epochs,
        callbacks=[*callbacks, backup, *_progress(config, folder)],
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


def _progress(config, folder):
    if config.max_seconds is None:
        return []
    return [ClockProgress(config.max_seconds, folder.history)]


def _print_summary(config, folder, growth):
    growths = None if growth is None else growth_table(config, growth)
    line = ending(config, read_rows(folder.history), growths or {})
    if line is not None:
        print(line)


def verbose():
    """Returns the `verbose` of `fit`: a line per epoch if stdout is not a terminal."""
    return 1 if sys.stdout.isatty() else 2
