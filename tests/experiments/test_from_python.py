import json

import pytest
from refusals import refused

import stackrec_keras as sr


def test_an_experiment_from_python_goes_on_with_that_of_the_command(ts_run, log_path):
    found = sr.experiments.from_scratch(
        ts_run,
        data=log_path,
        length=8,
        embedding_dim=8,
        batch_size=8,
        learning_rate=0.03,
        stages=[1, 2],
        shares=[1, 2],
        epochs=3,
    )
    assert len(found.arms) == 3 and found.folder == ts_run
    assert f"{found.table}\n" == (ts_run / "scenario.md").read_text()
    seconds = [
        a["seconds"] for a in json.loads((ts_run / "scenario.json").read_text())["arms"]
    ]
    assert [arm.seconds for arm in found.arms] == seconds


@pytest.mark.parametrize(
    "options, says",
    [
        ({"stagse": (1, 2)}, "is not an option of this.*Did you mean 'stages'"),
        ({"seeds": [0, 0]}, "must be different integers"),
        ({"seeds": []}, "must be different integers"),
        ({"model": "sasrek"}, "Did you mean 'sasrec'"),
        ({"stages": (4, 2)}, "each greater than the one before"),
        ({"data_ratio": (0.5, 0.4)}, "must increase"),
        ({"num_heads": 2}, "an option of sasrec, ssept, hstu and esasrec"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_written(
    options, says, tmp_path
):
    ((name, value),) = options.items()
    with refused(name, received=value, says=says):
        sr.experiments.continual(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_transfer_refuses_a_model_of_users(tmp_path):
    with refused("model", received="ssept", says="learns a vector"):
        sr.experiments.transfer("s.csv", "p.csv", tmp_path / "out", model="ssept")


def test_a_search_refuses_what_it_decides_itself(tmp_path, log_path):
    train = sr.runs.TrainConfig(data=log_path, patience=3)
    with refused("patience", received=3, says="cannot be set in a search"):
        sr.experiments.tune(sr.experiments.TuneConfig(train), tmp_path / "out")
    assert not (tmp_path / "out").exists()
