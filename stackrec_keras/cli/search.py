"""The search of `stackrec tune`."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import keras
import keras_tuner
import pandas as pd

from stackrec_keras import plot, tuning
from stackrec_keras.cli.models import class_and_arguments
from stackrec_keras.cli.results import training_counts
from stackrec_keras.cli.tune_config import DEFAULT_TRIALS
from stackrec_keras.data import Vocabulary

_HISTORY = "history.csv"


def make_hypermodel(config, split):
    """Returns the hypermodel of a `TuneConfig`.

    Raises:
        ValueError: If the configuration does not fit the model.
        ImportError: If what the tuner needs is not installed.
    """
    if config.tuner == "bayesian" and importlib.util.find_spec("sklearn") is None:
        raise ImportError(
            "--tuner bayesian needs scikit-learn: pip install "
            "'keras-tuner[bayesian]', or take another tuner."
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
    # Whether the methods fit the model shows once there is one.
    hypermodel.build(keras_tuner.HyperParameters())
    return hypermodel


def run_search(config, hypermodel, folder, verbose):
    """Searches, or goes on with the search in a folder.

    Args:
        config: `TuneConfig`.
        hypermodel: What `make_hypermodel` returned.
        folder: `TuneFolder`.
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
    except RuntimeError as error:  # too many trials failed, one after the other
        stopped = error
    finally:
        frame = tuning.trials(tuner)
        frame.to_csv(folder.trials, index=False)
    if stopped is not None or "COMPLETED" not in set(frame["status"]):
        raise ValueError(
            f"The search stopped, as its trials failed: {frame['error'].iloc[-1]} "
            f"(All trials are in {folder.trials}.)"
        ) from stopped
    plot.quality_vs_time(frame, folder.picture)
    return tuner


def best_run(config, tuner, folder):
    """Returns the best trial as a run of `stackrec train`, its history written.

    Args:
        config: `TuneConfig`.
        tuner: What `run_search` returned.
        folder: `TuneFolder`.

    Returns:
        A pair of its `TrainConfig` and its model.
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
        patience=config.train.epochs,  # never out: the best epoch's weights
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
        # The first row of a trial that went on from another has that one's time too.
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
        # KerasTuner takes 0 for none.
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
