"""Runs on a prepared log: a folder of rows that need not fit into memory."""

import contextlib
from dataclasses import replace

from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.config import TrainConfig
from stackrec_keras.runs.log_source import errors_about_data, is_prepared, time_column
from stackrec_keras.runs.split_recipe import (
    check_prepared,
    prepared_options,
    split_arguments,
)


def prepare(config, out, overwrite=False, engine="local", scheduler=None):
    """Prepares a log as `stackrec prepare` does.

    Args:
        config: `TrainConfig` whose `data` is a path as for `open_log`.
        out: The folder to write.
        overwrite: Boolean, whether to replace a prepared log in it. Defaults to
            `False`.
        engine: String, as in `prepare_log`. Defaults to `"local"`.
        scheduler: String, as in `prepare_log`. Defaults to `None`.

    Returns:
        A `Split`.
    """
    from stackrec_keras import data

    with errors_about_data(config.data), _errors_about_out():
        log = data.open_log(config.data, config.user, config.item, time_column(config))
        arguments = split_arguments(config)
        return data.prepare_log(
            log,
            out,
            config.length,
            config.split,
            overwrite,
            engine=engine,
            scheduler=scheduler,
            **arguments,
        )


def with_prepared_options(config: TrainConfig) -> TrainConfig:
    """Fills in the options that the prepared log of a configuration was made with.

    Args:
        config: `TrainConfig`. It is returned unchanged if its data are not a
            prepared log.

    Raises:
        ArgumentError: If an option contradicts those of the prepared log.
    """
    if not is_prepared(config.data):
        return config
    found = prepared_options(config.data)
    defaults = {
        name: value
        for name, value in found.items()
        if getattr(config, name) == getattr(TrainConfig, name)
    }
    config = replace(config, **defaults)
    check_prepared(config)
    return config


@contextlib.contextmanager
def _errors_about_out():
    """Context manager that turns errors about `folder` into errors about `out`."""
    try:
        yield
    except ArgumentError as error:
        if error.argument != "folder":
            raise
        raise ArgumentError(
            "out", error.reason, error.fix, error.received, error.option_fix
        ) from error
