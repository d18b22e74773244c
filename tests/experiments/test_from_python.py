import json

import pytest

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
    "options, message",
    [
        ({"stagse": (1, 2)}, "stagse=.* is no option of this experiment"),
        ({"seeds": (0, 0)}, "must be different numbers"),
        ({"seeds": ()}, "must be different numbers"),
        ({"model": "sasrek"}, "--model sasrek must be one of nextitnet, grec"),
        ({"stages": (4, 2)}, "each deeper than the one before"),
        ({"data_ratio": (0.5, 0.4)}, "--data-ratio 0.5,0.4 must rise"),
        ({"num_heads": 2}, "--num-heads is an option of --model"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_written(
    options, message, tmp_path
):
    with pytest.raises(ValueError, match=message):
        sr.experiments.continual(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_transfer_refuses_a_model_of_users(tmp_path):
    with pytest.raises(ValueError, match="--model ssept learns a vector"):
        sr.experiments.transfer("s.csv", "p.csv", tmp_path / "out", model="ssept")


def test_a_search_refuses_what_it_decides_itself(tmp_path, log_path):
    train = sr.runs.TrainConfig(data=log_path, patience=3)
    with pytest.raises(ValueError, match="patience=3 is no option of a search"):
        sr.experiments.tune(sr.experiments.TuneConfig(train), tmp_path / "out")
    assert not (tmp_path / "out").exists()
