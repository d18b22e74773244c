"""The command in a model card gives the configuration that it came from."""

import shlex

import pytest

import stackrec_keras as sr
from stackrec_keras.cli import build_parser
from stackrec_keras.cli.options import typed_options
from stackrec_keras.runs.training_command import training_command

CONFIGS = {
    "all defaults": {},
    "options of every kind": {
        "data": "my log.csv",
        "length": 8,
        "dilations": (1, 2),
        "model": "hstu",
        "time_bias": False,
        "tied": True,
        "learning_rate": 0.03,
        "schedule": "1:8",
    },
}


def configured(command):
    """What `stackrec train` makes of a command."""
    args = build_parser().parse_args(shlex.split(command)[1:])
    typed = typed_options(args)
    return sr.runs.recipe(args.recipe, **typed) if args.recipe else typed


@pytest.mark.parametrize("name", CONFIGS)
def test_a_command_has_the_options_that_are_not_defaults(name):
    config = sr.runs.TrainConfig(**CONFIGS[name])
    command = training_command(config, "runs/a")
    assert configured(command) == CONFIGS[name]
    assert command.endswith("--out runs/a")


@pytest.mark.parametrize("changes", [{}, {"seed": 3}, {"loss": "full_softmax"}])
def test_a_command_names_the_recipe(changes):
    config = sr.runs.recipe("hstu-ml1m", **changes)
    command = training_command(config, "runs/a")
    assert command.startswith("stackrec train --recipe hstu-ml1m ")
    assert configured(command) == config


def test_the_command_of_a_grown_run_begins_with_another_run():
    config = sr.runs.TrainConfig(data="log.csv", split="time", schedule="0:16")
    command = training_command(config, "runs/a", grown=True)
    assert command == (
        "stackrec grow OLD_RUN --data log.csv --num-blocks 16 --out runs/a"
    )
    build_parser().parse_args(shlex.split(command)[1:])
