"""The command that trains a configuration."""

import shlex
from dataclasses import fields

from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.config import GROW_OPTIONS, TrainConfig, option_name
from stackrec_keras.runs.named_recipes import RECIPES, recipe


def training_command(config, out, grown=False):
    """Returns the shortest `stackrec` command that trains a configuration.

    Args:
        config: `TrainConfig`.
        out: String, the run folder.
        grown: Boolean, whether `stackrec grow` made the run. Defaults to `False`.
    """
    if grown:
        return _line("grow OLD_RUN", _grown_options(config), out)
    ways = [_line("train", _changes(config, TrainConfig()), out)]
    for name, found in RECIPES.items():
        changes = _changes(config, found.config)
        # An option without a value cannot be typed; the recipe may drop it by itself.
        changes = {n: value for n, value in changes.items() if value is not None}
        if _is_recipe(config, name, changes):
            ways.append(_line(f"train --recipe {name}", changes, out))
    return min(ways, key=len)


def _is_recipe(config, name, changes):
    """Returns whether a recipe with some options replaced is the configuration."""
    try:
        return recipe(name, **changes) == config
    except ArgumentError:
        return False


def _grown_options(config):
    changes = _changes(config, TrainConfig())
    changes = {name: changes[name] for name in GROW_OPTIONS if name in changes}
    depth = config.num_blocks
    if config.schedule != "none":  # 0:DEPTH
        depth = int(config.schedule.split(":")[1])
    return {**changes, "num_blocks": depth}


def _changes(config, base):
    """Returns a dict of the fields that differ from another configuration."""
    pairs = [(f.name, getattr(config, f.name)) for f in fields(TrainConfig)]
    return {name: value for name, value in pairs if value != getattr(base, name)}


def _line(command, options, out):
    typed = [_typed(name, value) for name, value in options.items()]
    return " ".join(["stackrec", command, *typed, "--out", shlex.quote(out)])


def _typed(name, value):
    option = option_name(name)
    if isinstance(value, bool):
        return option if value else option.replace("--", "--no-", 1)
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    return f"{option} {shlex.quote(str(value))}"
