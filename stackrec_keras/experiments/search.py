"""The search for a schedule, and its best trial as a run."""

import importlib.util
from dataclasses import replace
from os import PathLike
from pathlib import Path

import keras
import keras_tuner
import pandas as pd

from stackrec_keras import plot, tuning
from stackrec_keras.data import Vocabulary
from stackrec_keras.evaluation import training_counts
from stackrec_keras.experiments.search_config import DEFAULT_TRIALS, TuneConfig
from stackrec_keras.experiments.search_folder import SearchFolder
from stackrec_keras.runs.architectures import class_and_arguments
from stackrec_keras.runs.folder import write_description, write_results
from stackrec_keras.runs.log_source import absolute_paths
from stackrec_keras.runs.run import Run, finished_run, run_of
from stackrec_keras.runs.split_recipe import describe_split, split_in
from stackrec_keras.runs.training import verbose

_HISTORY = "history.csv"


def tune(
    config: TuneConfig,
    out: str | PathLike,
    resume: bool = False,
    overwrite: bool = False,
) -> Run:
    """Searches for the best way to grow a model, as `stackrec tune` does.

    Args:
        config: `TuneConfig`.
        out: The folder to write to. It becomes the run folder of the best trial, and
            also holds all trials.
        resume: Boolean, whether to continue the search in `out` (with the same
            configuration), or start one if there is none. Defaults to `False`.
        overwrite: Boolean, whether to replace what is in `out`. Defaults to `False`.

    Returns:
        The `Run` of the best trial.

    Raises:
        ArgumentError: If the configuration or the data cannot be used. The folder is
            then left untouched.
        ValueError: If no trial could be completed.
    """
    folder = SearchFolder(out)
    if not (resume or overwrite):
        folder.check_free()
    config = replace(config, train=replace(config.train, **_paths(config.train)))
    config.check_train()
    config.search_space().check_epochs(config.train.epochs)
    if resume and folder.search_config.exists():
        folder.check_same_search(config)
        if folder.is_finished:
            return finished_run(folder)
    split = split_in(folder, config.train, resume)
    print(split)
    hypermodel = make_hypermodel(config, split)
    if not resume:
        folder.clear()
    folder.write("search_config", config.to_json())
    folder.write("split", describe_split(config.train, split))
    tuner = run_search(config, hypermodel, folder, verbose())
    best, model = best_run(config, tuner, folder)
    write_description(best, folder, split)
    folder.write_model(model)
    write_results(best, folder, split, model)
    return run_of(folder, model)


def _paths(config):
    return absolute_paths({"data": config.data, "load_model": config.load_model})


def make_hypermodel(config, split):
    """Returns the hypermodel of a `TuneConfig`.

    Raises:
        ArgumentError: If the configuration is invalid for the model.
        ImportError: If a package that the tuner needs is not installed.
    """
    if config.tuner == "bayesian" and importlib.util.find_spec("sklearn") is None:
        raise ImportError(
            "The bayesian tuner needs scikit-learn: pip install "
            "'keras-tuner[bayesian]', or use another tuner."
        )
    train = config.train
    model_class, arguments = class_and_arguments(train)
    hypermodel = _Recorded(
        model_class,
        split,
        train.epochs,
        config.search_space(),
        target=config.target,
        time_budget=config.time_budget,
        exclude_seen=train.exclude_seen,
        jit_compile={"auto": "auto", "on": True, "off": False}[train.jit],
        seed=train.seed,
        **arguments,
    )
    # Only a built model shows whether it can grow by the methods of the space.
    hypermodel.build(keras_tuner.HyperParameters())
    return hypermodel


def run_search(config, hypermodel, folder, verbose):
    """Searches, or continues the search in a folder.

    Args:
        config: `TuneConfig`.
        hypermodel: What `make_hypermodel` returned.
        folder: `SearchFolder`.
        verbose: As in `keras.Model.fit`.

    Returns:
        The tuner.

    Raises:
        ValueError: If no trial could be completed.
    """
    keras.utils.set_random_seed(config.train.seed)
    tuner = _tuner(config, hypermodel, folder)
    stopped = None
    try:
        tuner.search(verbose=verbose)
    except RuntimeError as error:  # too many trials failed in a row
        stopped = error
    finally:
        frame = tuning.trials(tuner)
        frame.to_csv(folder.trials, index=False)
    if stopped is not None or "COMPLETED" not in set(frame["status"]):
        raise ValueError(
            "The search stopped because its trials failed: "
            f"{frame['error'].iloc[-1]} (All trials are in {folder.trials}.)"
        ) from stopped
    plot.quality_vs_time(frame, folder.picture)
    return tuner


def best_run(config, tuner, folder):
    """Returns the best trial as a run of `stackrec train`, and writes its history.

    Args:
        config: `TuneConfig`.
        tuner: What `run_search` returned.
        folder: `SearchFolder`.

    Returns:
        A pair: the `TrainConfig` of the trial, and its model.
    """
    hypermodel = tuner.hypermodel
    trial = tuner.oracle.get_best_trials()[0]
    drawn = hypermodel.space.draw(trial.hyperparameters)
    schedule = drawn.schedule(config.train.epochs)
    table = {} if schedule is None else schedule.depths
    shares = {} if schedule is None else schedule.data_shares or {}
    best = replace(
        config.train,
        num_blocks=drawn.start_blocks,
        embedding_dim=drawn.width,
        dropout=drawn.dropout,
        method=drawn.method,
        schedule=_pairs(table) or "none",
        data_shares=_pairs(shares) or None,
        inherit=drawn.inherit,
        optimizer_state=drawn.optimizer_state,
        batch_size=drawn.batch_size,
        learning_rate=drawn.learning_rate,
        loss=drawn.training_loss,
        patience=config.train.epochs,  # never stops early, but keeps the best epoch
        max_seconds=config.time_budget,
    )
    rows = pd.read_csv(Path(tuner.get_trial_dir(trial.trial_id)) / _HISTORY)
    rows.to_csv(folder.history, index=False)
    model = tuner.get_best_models()[0]
    split = hypermodel.data
    model.vocabulary = Vocabulary(split.vocabulary.ids, training_counts(split.train))
    return best, model


def _pairs(table):
    return ",".join(f"{epoch}:{value}" for epoch, value in table.items())


class _Recorded(tuning.StackingHyperModel):
    """Writes the history of each trial beside its checkpoint, with the columns that
    a run's history.csv has."""

    def fit(self, hp, model, *args, callbacks=(), **kwargs):
        history = super().fit(hp, model, *args, callbacks=callbacks, **kwargs)
        rows = pd.DataFrame({"epoch": history.epoch, **history.history})
        # If a trial continues an earlier one, its first row includes the time of both.
        rows["seconds"] = (
            rows["training_seconds"].diff().fillna(rows["training_seconds"])
        )
        rows = rows.drop(columns=["training_seconds", "total_seconds"])
        tuner, trial_id = next(
            (c.tuner, c.trial.trial_id) for c in callbacks if hasattr(c, "tuner")
        )
        path = Path(tuner.get_trial_dir(trial_id)) / _HISTORY
        rows.round({"seconds": 3}).to_csv(path, index=False)
        return history


def _tuner(config, hypermodel, folder):
    arguments = {
        "hypermodel": hypermodel,
        "objective": hypermodel.objective,
        "directory": folder.path,
        "project_name": folder.search.name,
        # KerasTuner takes 0 to mean no seed.
        "seed": config.train.seed + 1,
    }
    if config.tuner == "hyperband":
        return keras_tuner.Hyperband(max_epochs=config.train.epochs, **arguments)
    if config.tuner == "grid":
        return tuning.GridSearch(max_trials=config.trials, **arguments)
    tuners = {
        "random": keras_tuner.RandomSearch,
        "bayesian": keras_tuner.BayesianOptimization,
    }
    max_trials = config.trials or DEFAULT_TRIALS
    return tuners[config.tuner](max_trials=max_trials, **arguments)
