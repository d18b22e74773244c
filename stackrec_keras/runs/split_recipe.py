"""The split of a run: made once, and remade to evaluate."""

from dataclasses import fields

from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.config import TRANSFER, TrainConfig
from stackrec_keras.runs.data_checks import LEAVE_ONE_OUT_OPTIONS, check_times
from stackrec_keras.runs.log_source import errors_about_data, is_prepared, read_log

# Written to split.json, so that new defaults of the library do not change old runs.
_SHARES = {"test_share": 0.2, "validation_share": 0.1}
_TIME_SHARES = {"test_share": 0.1, "validation_share": 0.1}
# Counts of targets; not every kind of split has them.
_COUNTS = ("num_targets", "unknown_targets", "cold_targets", "tied_targets")


def make_split(config, arguments=None, known=None):
    """Reads the data of a configuration and splits it.

    Args:
        config: `TrainConfig`.
        arguments: Dict of the split's own arguments. Defaults to
            `split_arguments(config)`.
        known: Dict with the `vocabulary` and `user_ids` of a trained model, to train it
            further on a split by time. Defaults to `None`: a new model.

    Returns:
        A `Split`.
    """
    from stackrec_keras import data

    if config.split == TRANSFER:
        raise ValueError(
            f"The run that was fine-tuned on {config.data} belongs to `stackrec "
            "scenario tf`. Continue it with that command. The metrics of the run are "
            "in metrics.md."
        )
    if arguments is None:
        arguments = split_arguments(config)
    if config.sequences:
        with errors_about_data(config.data):
            windows, _ = data.read_sequences(
                config.data, config.user_column, length=config.length
            )
        return data.split_random(windows, **arguments)
    if is_prepared(config.data):
        check_prepared(config)
        with errors_about_data(config.data):
            split = data.read_prepared(config.data)
        check_times(config, split.test.end_time)
        return split
    log = read_log(config)
    check_times(config, log["timestamp"].to_numpy())
    return split_log(log, config.split, config.length, {**arguments, **(known or {})})


def prepared_options(folder):
    """Returns the fields of `TrainConfig` that a prepared log was made with."""
    from stackrec_keras.data.prepared_log import prepared_facts

    with errors_about_data(folder):
        facts = prepared_facts(folder)
    arguments = facts["arguments"]
    options = {"split": facts["split"], "length": facts["length"]}
    options |= {n: arguments[n] for n in LEAVE_ONE_OUT_OPTIONS if n in arguments}
    if "seed" in arguments:
        options["split_seed"] = arguments["seed"]
    if not facts["has_times"]:
        options["timestamp"] = "none"
    return options


def check_prepared(config, names=None):
    """Checks that the options of a configuration match its prepared log.

    Args:
        config: `TrainConfig` whose `data` is a prepared log.
        names: The names of the fields to check. Defaults to `None`, all.
    """
    for name, value in prepared_options(config.data).items():
        given = getattr(config, name)
        if given != value and (names is None or name in names):
            raise ArgumentError(
                name,
                f"does not fit {config.data}, which was prepared with {value}",
                "Leave it out, or prepare the log again.",
                given,
            )


def split_log(log, kind, length, arguments):
    """Splits a log.

    Args:
        log: A frame as `read_interactions` returns it.
        kind: String, one of `SPLITS`.
        length: Integer, items per row.
        arguments: Dict of the split's own arguments.

    Returns:
        A `Split`.
    """
    from stackrec_keras import data

    if kind == "time":
        arguments = {name: time_of(value) for name, value in arguments.items()}
        return data.split_by_time(log, length, **arguments)
    if kind == "leave-one-out":
        return data.split_leave_one_out(log, None, length, **arguments)
    vocabulary = data.Vocabulary.from_items(log["item"])
    windows = data.make_windows(log, vocabulary, length)
    return data.split_random(windows, **arguments)


def split_arguments(config):
    """Returns the dict of arguments that the split of a configuration takes."""
    if is_prepared(config.data):
        from stackrec_keras.data.prepared_log import prepared_facts

        return prepared_facts(config.data)["arguments"]
    if config.split == "random":
        return {**_SHARES, "seed": config.split_seed}
    if config.split == "time":
        return dict(_TIME_SHARES)
    # An option at its default is left out, as in runs from before the option existed.
    defaults = {f.name: f.default for f in fields(TrainConfig)}
    values = {name: getattr(config, name) for name in LEAVE_ONE_OUT_OPTIONS}
    return {name: value for name, value in values.items() if value != defaults[name]}


def describe_split(config, split, arguments=None):
    """Returns the dict for split.json: how to remake the split, and its hash."""
    from stackrec_keras.data.splits import TIE_RULE

    return {
        "kind": config.split,
        "length": config.length,
        "arguments": split_arguments(config) if arguments is None else arguments,
        "rows": {
            "train": len(split.train),
            "validation": len(split.validation),
            "test": len(split.test),
        },
        "num_items": split.num_items,
        "num_users": split.num_users,
        **{name: getattr(split, name) for name in _COUNTS if hasattr(split, name)},
        "hash": split.hash,
        **({} if config.sequences else {"ties": TIE_RULE}),
        "trained_until": trained_until(split),
    }


def trained_until(split):
    """Returns the time of the last training event in JSON form, or `None`."""
    times = getattr(split.train, "end_time", None)
    return None if times is None else plain_time(times.max())


def plain_time(time):
    """Returns a time of a log in a form that JSON can hold."""
    return str(time) if time.dtype.kind == "M" else time.item()


def time_of(value):
    """Restores a time of a log from what `plain_time` returned."""
    import numpy as np

    return np.datetime64(value) if isinstance(value, str) else value


def split_in(folder, config, resume):
    """Returns the split of a new run, or remakes the split of the run to resume.

    Args:
        folder: `RunFolder`.
        config: `TrainConfig` of the run.
        resume: Boolean, whether to continue the run in the folder.
    """
    if resume and folder.split.exists():
        return remake_split(config, folder.read("split"))
    return make_split(config)


def remake_split(config, description, known=None):
    """Remakes the split of a run.

    Args:
        config: `TrainConfig` of the run.
        description: Dict, the split.json of the run.
        known: As in `make_split`.

    Raises:
        ArgumentError: If the data now give a different split.
    """
    split = make_split(config, description["arguments"], known)
    if split.hash != description["hash"]:
        raise ArgumentError(
            "data",
            f"has changed: it gives the split {split.hash}, but the run was made with "
            f"{description['hash']}",
            "Restore the data of the run, or evaluate on another log with `stackrec "
            "evaluate --data`.",
            config.data,
        )
    return split
