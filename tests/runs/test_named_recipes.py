"""Recipes by name: what they hold, and what replaces their options."""

import json

import pytest
from refusals import refused

import stackrec_keras as sr
from stackrec_keras.runs.growth_options import stacking_callback
from stackrec_keras.runs.named_recipes import RECIPES
from stackrec_keras.runs.option_checks import check_model_options, check_new_run

CHANGED = "--length 8 --embedding-dim 8 --epochs 1 --batch-size 8 --no-newest-only"


@pytest.mark.parametrize("name", RECIPES)
def test_each_recipe_is_a_run_as_published(name):
    config = sr.runs.recipe(name)
    check_new_run(config)
    default = vars(sr.runs.TrainConfig())
    changed = {k: v for k, v in vars(config).items() if v != default[k]}
    check_model_options(changed, config.model)
    assert config.split == "leave-one-out" and config.length == 201
    assert config.exclude_seen and config.whole_history and config.newest_only
    assert name.startswith(f"{config.model}-")
    assert f"--recipe {name} " in sr.runs.recipes()[name]
    assert config.num_blocks == 2 if name.endswith("-grown") else not config.data_shares


def test_options_replace_those_of_a_recipe():
    config = sr.runs.recipe("sasrec-ml1m", epochs=1, data="log.csv")
    assert (config.epochs, config.data, config.min_count) == (1, "log.csv", 5)
    with refused("epochs", received=0):
        sr.runs.recipe("sasrec-ml1m", epochs=0)
    with refused("name", received="sasrec-ml", says="Did you mean 'sasrec-ml1m'"):
        sr.runs.recipe("sasrec-ml")
    with refused("epoch", received=1, says="Did you mean 'epochs'"):
        sr.runs.recipe("sasrec-ml1m", epoch=1)


@pytest.mark.parametrize(
    "epochs, fix", [(5, "such as 1:4,3:8, or 'none'"), (2, "at earlier epochs, or")]
)
def test_fewer_epochs_than_a_grown_recipe_has_ask_for_another_schedule(epochs, fix):
    config = sr.runs.recipe("hstu-ml1m-grown", epochs=epochs)
    with refused("schedule", received="10:4,20:8", says=fix):
        stacking_callback(config)


@pytest.mark.parametrize(
    "options", [{"loss": "full_softmax"}, {"model": "sasrec"}, {"split": "random"}]
)
def test_with_another_loss_model_or_split_a_recipe_has_no_options_of_its_own(options):
    config = sr.runs.recipe("hstu-large-ml1m", **options)
    check_new_run(config)
    default = vars(sr.runs.TrainConfig())
    changed = {k: v for k, v in vars(config).items() if v != default[k]}
    check_model_options(changed, config.model)
    assert config.temperature == 0.05 and config.exclude_seen
    with refused("num_negatives", received=5):
        asked = sr.runs.recipe("hstu-ml1m", loss="full_softmax", num_negatives=5)
        check_new_run(asked)


def test_a_recipe_trains_from_the_command_line_and_is_resumed(
    log_path, tmp_path, stackrec
):
    train = ["train", "--recipe", "sasrec-ml1m", "--data", log_path, *CHANGED.split()]
    code, out, err = stackrec(*train, "--out", tmp_path)
    assert (code, err) == (0, "")
    config = json.loads((tmp_path / "config.json").read_text())
    asked = sr.runs.recipe(
        "sasrec-ml1m",
        data=str(log_path),
        length=8,
        embedding_dim=8,
        epochs=1,
        batch_size=8,
        newest_only=False,
    )
    assert sr.runs.TrainConfig.from_json(config) == asked
    assert json.loads((tmp_path / "split.json").read_text())["arguments"] == {
        "min_count": 5,
        "whole_history": True,
    }
    code, again, _ = stackrec("evaluate", tmp_path)
    assert code == 0 and again.split("training")[0] in out
    code, out, _ = stackrec(*train, "--out", tmp_path, "--resume")
    assert code == 0 and "already finished" in out
    code, _, err = stackrec(
        *train, "--out", tmp_path, "--resume", "--learning-rate", "0.1"
    )
    assert code == 2 and "--learning-rate" in err


def test_recipes_are_listed_with_command_and_figures(stackrec):
    code, out, _ = stackrec("recipes")
    assert code == 0
    assert "\nsasrec-ml1m-grown\n" in out
    assert "stackrec train --recipe sasrec-ml1m --out" in out
    assert "Published: HR@10 .3152, NDCG@10 .1821" in out
    assert "Measured: " in out
