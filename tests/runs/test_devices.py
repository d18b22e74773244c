import contextlib

import keras
import pytest
from refusals import refused

import stackrec_keras as sr
from stackrec_keras.runs import devices


@pytest.mark.every_backend
def test_more_devices_than_there_are_are_refused(tmp_path):
    reason = {
        "torch": "must be 1 on the torch backend",
        "jax": "XLA_FLAGS=--xla_force_host_platform_device_count=512",
        "tensorflow": "set_logical_device_configuration",
    }[keras.backend.backend()]
    config = sr.runs.TrainConfig(data="no such file", devices=512)
    with refused("devices", received=512, says=reason):
        sr.runs.train(config, tmp_path / "run")


def test_a_count_below_1_is_refused():
    with refused("devices", received=0):
        sr.runs.TrainConfig(devices=0)


def test_a_run_on_several_devices_returns_a_model_that_works_on_one(
    log_path, write_log, tmp_path, monkeypatch
):
    made = []

    def scope(number):
        made.append(number)
        return contextlib.nullcontext()

    monkeypatch.setattr(devices, "_scope", scope)
    monkeypatch.setattr(devices, "check_devices", lambda number: None)
    monkeypatch.setattr("stackrec_keras.runs.training.check_devices", lambda n: None)
    monkeypatch.setattr("stackrec_keras.runs.growing.check_devices", lambda n: None)
    config = sr.runs.TrainConfig(
        data=str(log_path), embedding_dim=4, epochs=1, schedule="none", devices=4
    )
    run = sr.runs.train(config, tmp_path / "run")
    assert run.model.recommend([["film 1"]], k=1)[0].shape == (1, 1)
    newer = write_log(tmp_path / "newer.csv", events=30)
    grown = sr.runs.grow(tmp_path / "run", data=str(newer), devices=2)
    assert grown.model.num_blocks == 8 and made == [4, 2]
