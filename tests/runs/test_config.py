from pathlib import Path

import numpy as np
import pytest

from stackrec_keras.models import ConvolutionalRecommender, TransformerRecommender
from stackrec_keras.models.registry import MODELS
from stackrec_keras.runs import TrainConfig
from stackrec_keras.runs.config import CONVOLUTIONAL, TRANSFORMERS


@pytest.mark.parametrize(
    "family, names",
    [(ConvolutionalRecommender, CONVOLUTIONAL), (TransformerRecommender, TRANSFORMERS)],
)
def test_the_options_know_the_architectures_of_the_registry(family, names):
    assert names == tuple(n for n, kind in MODELS.items() if issubclass(kind, family))
    assert set(CONVOLUTIONAL + TRANSFORMERS) == set(MODELS)


def test_values_of_python_become_those_that_json_holds():
    config = TrainConfig(
        data=Path("log.csv"), epochs=np.int64(3), dilations=[1, 2], learning_rate=1
    )
    assert (config.data, config.epochs, config.dilations) == ("log.csv", 3, (1, 2))
    assert type(config.epochs) is int
    assert TrainConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    "options, message",
    [
        ({"model": "sasrek"}, "--model sasrek must be one of nextitnet, grec, sasrec"),
        ({"split": "newest"}, "--split newest must be one of random, leave-one-out"),
        ({"loss": "mse"}, "--loss mse must be one of"),
        ({"epochs": "3"}, "--epochs must be of type int. Received: '3'"),
        ({"epochs": 2.5}, "--epochs must be of type int. Received: 2.5"),
        ({"learning_rate": "fast"}, "--learning-rate must be of type float"),
        ({"encoder": "yes"}, "--encoder must be of type bool"),
        ({"data": None}, "--data must be of type str"),
        ({"dilations": 4}, "--dilations must be of type integers"),
    ],
)
def test_values_of_another_kind_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**options)
