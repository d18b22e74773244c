"""Growing: yesterday's model, trained on today's log."""

import tempfile
from dataclasses import fields, replace
from os import PathLike
from pathlib import Path

import keras
import numpy as np

from stackrec_keras.data import Vocabulary
from stackrec_keras.errors import ArgumentError
from stackrec_keras.evaluation import training_counts
from stackrec_keras.losses import LOSSES
from stackrec_keras.models.registry import ARCHITECTURES
from stackrec_keras.runs.config import GROW_OPTIONS, TrainConfig, options_of
from stackrec_keras.runs.data_checks import check_times
from stackrec_keras.runs.devices import check_devices, on_devices
from stackrec_keras.runs.feature_options import features_in
from stackrec_keras.runs.folder import RunFolder, write_description
from stackrec_keras.runs.growth_options import stacking_callback
from stackrec_keras.runs.log_source import absolute_paths, read_log
from stackrec_keras.runs.model_file import read_model_file
from stackrec_keras.runs.run import Run, finished_run
from stackrec_keras.runs.split_recipe import (
    plain_time,
    remake_split,
    split_log,
    time_of,
)
from stackrec_keras.runs.training import (
    announce,
    check_no_folder,
    learning_rate,
    read_anywhere,
    resumed_config,
    train_on,
)
from stackrec_keras.schedules import WarmupStableDecay
from stackrec_keras.stacking.in_place import learning_rate_schedule
from stackrec_keras.stacking.optimizer_state import check_optimizer
from stackrec_keras.wording import counted

# The new run has a new split, and drops options that only the old run needed.
_NOT_INHERITED = {"sequences": False, "split": "time", "share_by": "random"}
_NOT_INHERITED["user_column"] = False
_NOT_INHERITED |= dict.fromkeys(("data_shares", "max_seconds", "load_model"))


def grow(
    old: str | PathLike,
    out: str | PathLike | None = None,
    num_blocks: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    **options,
) -> Run:
    """Grows a trained model and trains it on a newer log, as `stackrec grow` does.

    Args:
        old: A run folder or a `.keras` file. It is not changed.
        out: The run folder to write. Defaults to `None`: nothing stays on disk.
        num_blocks: Integer, the depth to grow to. Defaults to `None`: twice the model's
            depth, or `top_blocks` blocks more than it has.
        resume: Boolean, whether to continue the run in `out`, or start one if there is
            none. Defaults to `False`.
        overwrite: Boolean, whether to replace the run in `out`. Defaults to `False`.
        **options: Fields of `TrainConfig`, such as `data` (the whole log up to now),
            `method`, `epochs` or `learning_rate`. Each defaults to the value that it
            had in the old run.

    Returns:
        A `Run`.

    Raises:
        ArgumentError: If the options do not fit the model or the log, or `out` already
            holds a run.

    Example:

    ```python
    today = sr.runs.grow("runs/monday", "runs/tuesday", data="log.csv", epochs=2)
    ```
    """
    unknown = sorted(set(options) - set(GROW_OPTIONS))
    if unknown:
        raise ArgumentError(
            unknown[0],
            f"is not an option of grow, which takes {', '.join(GROW_OPTIONS)}",
            "All other options stay as in the model's run.",
            options[unknown[0]],
        )
    if out is None:
        check_no_folder(resume, overwrite)
        with tempfile.TemporaryDirectory() as unkept:
            run = grow(old, unkept, num_blocks, **options)
            return replace(run, folder=None)
    old, folder = Path(old), RunFolder(out)
    check_grown_out(old, folder, resume, overwrite)
    options = absolute_paths(options)
    if resume and folder.start.exists():
        if folder.is_finished:
            return finished_run(folder)
        config, split, model = _resume(folder, num_blocks, options)
    else:
        config, split, model = _start(old, folder, num_blocks, options)
    print(split)
    growth = stacking_callback(config)
    announce(config, growth, model, len(split.train))
    with on_devices(config.devices) as are_several:
        if are_several:
            model = folder.read_model("start")
        run = train_on(config, folder, split, model, growth)
    return read_anywhere(run) if are_several else run


def check_grown_out(old, folder, resume, overwrite):
    """Checks that `grow` can write its run into a `RunFolder`."""
    of_old = old.parent if old.suffix == ".keras" else old
    if of_old.resolve() == folder.path.resolve():
        raise ArgumentError(
            "out",
            "is the folder of the model to grow, which is never overwritten",
            "Give another folder.",
            folder.path,
        )
    if not overwrite and not (resume and folder.start.exists()):
        folder.check_free()


def _resume(folder, depth, options):
    config = resumed_config(options, folder)
    if depth is not None and config.schedule != _schedule(config, depth):
        raise ArgumentError(
            "num_blocks",
            f"does not fit the run in {folder.path}, which was started with the "
            f"schedule {config.schedule!r}",
            "Leave it out to resume the run.",
            depth,
        )
    model = folder.read_model("start")
    known = folder.known(model)
    return config, remake_split(config, folder.read("split"), known), model


def _start(old, folder, depth, options):
    """Reads and checks everything, and only then writes what training begins with."""
    model, old_config, known, until = _read_old(old)
    config = _configuration(depth, options, model, old_config)
    check_devices(config.devices)
    keras.utils.set_random_seed(config.seed)
    _check_growth(config, model)
    log = read_log(config)
    check_times(config, log["timestamp"].to_numpy())
    _check_overlap(log, model, config)
    arguments = _held_out(log, until, config.data)
    if until is None:
        print(
            "The old model does not record when its training data end, so its results "
            "below may be too good: it may have been trained on the test rows."
        )
    elif (log["timestamp"] > time_of(until)).mean() > 0.5:
        print(
            f"Most of the log is from after {until}, when the old model's training "
            "data end. Events missing from this log will be missing from the "
            "histories. Give the whole log up to now."
        )
    split = split_log(log, "time", config.length, {**arguments, **known})
    arguments = {name: plain_time(time) for name, time in arguments.items()}
    _extend(model, split, config)
    folder.clear()
    write_description(config, folder, split, arguments)
    folder.write_model(model, "start")
    return config, split, model


def _read_old(path):
    """Returns the model, the `TrainConfig` of its run, what a split must reuse from it
    (see `RunFolder.known`), and the time at which its training data end."""
    if path.suffix != ".keras":
        folder = RunFolder(path)
        model = folder.read_model()
        until = folder.read("split").get("trained_until")
        return _checked(model, path), folder.read_config(), folder.known(model), until
    if not path.exists():
        raise FileNotFoundError(
            f"{path} does not exist. Give a run folder or a .keras file."
        )
    model = _checked(read_model_file(path), path)
    if model.num_users is not None:
        raise ArgumentError(
            "old",
            "does not say which users its model knows",
            "Give the run folder of `stackrec train`, which does.",
            path,
        )
    return model, None, {"vocabulary": model.vocabulary}, None


def _checked(model, path):
    if type(model).__name__.lower() not in ARCHITECTURES:
        raise ArgumentError(
            "old",
            f"holds a {type(model).__name__}, but grow knows only "
            f"{', '.join(ARCHITECTURES)}",
            received=path,
        )
    if model.vocabulary is None or not model.trained_length or not model.compiled:
        raise ArgumentError(
            "old",
            "holds a model that has no vocabulary or was never trained",
            "Set model.vocabulary, train the model with fit, and save it.",
            path,
        )
    return model


def _configuration(depth, options, model, old):
    if "data" not in options and old is None:
        raise ArgumentError("data", "is missing", "Give the whole log up to now.")
    if old is None:
        rate = float(f"{float(model.optimizer.learning_rate):.6g}")
        names = {kind: name for name, kind in LOSSES.items()}
        loss = names.get(type(model.loss), TrainConfig.loss)
        old = TrainConfig(loss=loss, learning_rate=rate, **_of_loss(model.loss))
    old = replace(old, **_NOT_INHERITED, **_of_model(model))
    config = replace(old, **{"top_blocks": None, **options})
    if {"learning_rate", "warmup", "decay"} & set(options):
        set_learning_rate(model.optimizer, config)
    if depth is None:
        depth = config.num_blocks + (config.top_blocks or config.num_blocks)
    if depth < config.num_blocks:
        raise ArgumentError(
            "num_blocks",
            f"is less than the {counted(config.num_blocks, 'block')} of the old "
            "model, and a model can only grow",
            "Give more, or the same number to train without growing.",
            depth,
        )
    return replace(config, schedule=_schedule(config, depth))


def set_learning_rate(optimizer, config):
    """Gives an optimizer the learning rate of a configuration, or its schedule."""
    rate = learning_rate(config)
    if learning_rate_schedule(optimizer) is not None and rate == config.learning_rate:
        rate = WarmupStableDecay(rate, decay=0)  # Keras refuses a number here
    optimizer.learning_rate = rate


def _of_model(model):
    """Returns the fields of `TrainConfig` that the model itself determines."""
    kind = type(model).__name__.lower()
    names = options_of(kind)
    found = {k: v for k, v in model.get_config().items() if k in names}
    if "dilations" in found:
        found["dilations"] = tuple(found["dilations"])
    if model.num_users is not None:
        found["embedding_dim"] = model.item_dim
    length = model.trained_length + 1
    return {**found, "model": kind, "length": length}


def _of_loss(loss):
    """Returns the fields of `TrainConfig` that a loss determines."""
    names = [f.name for f in fields(TrainConfig) if "losses" in f.metadata]
    return {name: getattr(loss, name, None) for name in names}


def _schedule(config, depth):
    return "none" if depth == config.num_blocks else f"0:{depth}"


def _check_growth(config, model):
    check_optimizer(model)
    callback = stacking_callback(config)
    if callback is not None:
        callback.growth.check(model, list(callback.schedule.depths.values()))


def _check_overlap(log, model, config):
    # Raises its own error if the ids are of the wrong type.
    model.vocabulary.extended(log["item"])
    if not model.vocabulary.encode(log["item"]).any():
        raise ArgumentError(
            "data",
            "has no item that the old model knows: the ids in the log look like "
            f"{log['item'].iloc[0]}, and those of the model like "
            f"{model.vocabulary.ids[0]}",
            "Give a log of the same catalogue, or train a new model.",
            config.data,
        )


def _held_out(log, until, data):
    """Returns the start times of validation and of the test: 80% and 90% of the way
    through the events that are later than `until`."""
    times = np.sort(log["timestamp"].to_numpy())
    if until is not None:
        if isinstance(until, str) != (times.dtype.kind == "M"):
            raise ArgumentError(
                "data",
                f"has times like {times[0]}, but the old model's training data end at "
                f"{until}",
                "Give times of the same form.",
                data,
            )
        times = times[times > time_of(until)]
    if len(times) == 0:
        raise ArgumentError(
            "data",
            f"has no event after {until}, when the old model's training data end",
            "Give the log up to now.",
            data,
        )
    first, test = (times[len(times) * tenths // 10] for tenths in (8, 9))
    if first == test:
        raise ArgumentError(
            "data",
            f"has its newest events all at one time, {first}, so validation and test "
            "cannot be separated",
            "Give more precise times, or a log that covers a longer period.",
            data,
        )
    return {"validation_start": first, "test_start": test}


def _extend(model, split, config):
    new = split.vocabulary.ids[len(model.vocabulary) :]
    if len(new):
        features = _features_of(model, new, config)
        model.extend_items(len(new), ids=new.tolist(), features=features)
    users = split.num_users - (model.num_users or split.num_users)
    if users:
        model.extend_users(users)
    found = counted(len(new), "new item")
    if model.num_users is not None:
        found += f" and {counted(users, 'new user')}"
    print(found)
    model.vocabulary = Vocabulary(split.vocabulary.ids, training_counts(split.train))


def _features_of(model, new, config):
    """Returns the features of new items, or `None` if the model uses no features."""
    if model.num_item_features is None:
        return None
    if config.item_features is None:
        raise ArgumentError(
            "item_features",
            f"is missing, but the model has "
            f"{counted(model.num_item_features, 'feature')} for each item, and the "
            f"log has {counted(len(new), 'new item')}",
            "Give a file that has the features of the new items.",
        )
    return features_in(config, Vocabulary(new))
