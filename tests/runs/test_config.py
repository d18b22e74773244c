import inspect
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from refusals import refused

from stackrec_keras.losses import LOSSES
from stackrec_keras.runs import TrainConfig


def test_values_of_python_become_those_that_json_holds():
    config = TrainConfig(
        data=Path("log.csv"), epochs=np.int64(3), dilations=[1, 2], learning_rate=1
    )
    assert (config.data, config.epochs, config.dilations) == ("log.csv", 3, (1, 2))
    assert type(config.epochs) is int
    assert TrainConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    "options, says",
    [
        ({"model": "sasrek"}, "must be 'nextitnet'.*Did you mean 'sasrec'"),
        ({"split": "newest"}, "must be 'random', 'leave-one-out' or 'time'"),
        ({"loss": "mse"}, "must be 'full_softmax'"),
        ({"epochs": "3"}, "must be an integer"),
        ({"epochs": True}, "must be an integer"),
        ({"epochs": 2.5}, "must be an integer"),
        ({"epochs": 0}, "must be an integer of at least 1"),
        ({"length": 1}, "must be an integer of at least 2"),
        ({"learning_rate": "fast"}, "must be a number"),
        ({"learning_rate": 0}, "must be above 0"),
        ({"encoder": "yes"}, "must be True or False"),
        ({"data": None}, "must be a string"),
        ({"dilations": 4}, "must be a tuple of integers"),
        ({"dilations": (0,)}, "must be integers of at least 1"),
    ],
)
def test_values_that_cannot_be_are_refused_by_name(options, says):
    ((name, value),) = options.items()
    with refused(name, received=value, says=says):
        TrainConfig(**options)


@pytest.mark.parametrize(
    "options, argument",
    [
        ({"user_column": True}, "user_column"),
        ({"sequences": True, "model": "ssept"}, "model"),
        ({"sequences": True, "share_by": "time"}, "share_by"),
        ({"sequences": True, "split": "time"}, "split"),
    ],
)
def test_what_a_file_of_sequences_lacks_is_refused(options, argument):
    with refused(argument, received=options[argument]) as caught:
        TrainConfig(**options)
    assert "--" not in str(caught.value)  # options are the command's


@pytest.mark.parametrize(
    "options", [{"min_count": 5}, {"newest_only": True}, {"whole_history": True}]
)
def test_options_of_leave_one_out_are_refused_with_another_split(options):
    ((name, value),) = options.items()
    with refused(name, received=value, says="the split is random"):
        TrainConfig(**options)
    TrainConfig(**options, split="leave-one-out")


def test_the_losses_of_a_run_are_all_those_of_the_library():
    (loss,) = (f for f in fields(TrainConfig) if f.name == "loss")
    assert {*loss.metadata["choices"], *loss.metadata["also"]} == set(LOSSES)


def test_options_of_a_loss_are_those_of_its_class():
    for f in fields(TrainConfig):
        having = f.metadata.get("losses")
        if having is not None:
            takes = [
                name
                for name, kind in LOSSES.items()
                if f.name in inspect.signature(kind.__init__).parameters
            ]
            assert set(having) == set(takes)


@pytest.mark.parametrize("temperature", [0, -1.0])
def test_a_temperature_is_above_0(temperature):
    with refused("temperature", received=temperature):
        TrainConfig(temperature=temperature)
