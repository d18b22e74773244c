import json
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from refusals import refused

import stackrec_keras as sr
from stackrec_keras.errors import StackRecWarning

huggingface_hub = pytest.importorskip("huggingface_hub")


@pytest.fixture(scope="module")
def published(finished_run, tmp_path_factory):
    """A published run. Tests must not change it."""
    folder = tmp_path_factory.mktemp("presets") / "films"
    assert sr.runs.publish(finished_run, folder, license="apache-2.0") == folder
    return folder


@pytest.fixture
def preset(published, tmp_path):
    """A copy of `published`."""
    return shutil.copytree(published, tmp_path / "films")


@pytest.fixture(scope="module")
def card(published):
    return huggingface_hub.ModelCard.load(published / "README.md")


def rewrite(preset, **changes):
    path = preset / "preset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def rewrite_model(preset, config):
    """Replaces the model by another, with digests that fit."""
    from stackrec_keras.runs.presets import describe_preset

    (preset / "preset.json").unlink()
    (preset / "config.json").write_text(json.dumps(config))
    describe_preset(preset, {})


def test_a_preset_is_the_model_that_was_trained(published, finished_run):
    model = sr.load_preset(published)
    trained = sr.runs.read_run(finished_run)
    history = ["film 1", "film 8"]
    ours, theirs = (m.recommend([history], k=5) for m in (model, trained.model))
    assert ours[0].tolist() == theirs[0].tolist()
    np.testing.assert_array_equal(ours[1], theirs[1])
    for name in ("weights", "optimizer.variables"):
        pairs = [_values(m, name) for m in (model, trained.model)]
        for weight, expected in zip(*pairs, strict=True):
            np.testing.assert_array_equal(weight, expected)
    assert keras.saving.load_model(published).vocabulary == model.vocabulary


@pytest.mark.every_backend
@pytest.mark.usefixtures("eager_on_tensorflow")
def test_a_preset_evaluates_as_its_card_says_grows_and_trains(published, log_path):
    model = sr.load_preset(str(published))
    run = json.loads((published / "preset.json").read_text())["run"]
    log = sr.data.read_interactions(log_path)
    windows = sr.data.make_windows(log, model.vocabulary, run["config"]["length"])
    split = sr.data.split_random(windows, **run["split"]["arguments"])
    assert split.hash == run["split"]["hash"]
    test = split.test.batches(8, evaluation=True)
    found = model.evaluate(test, return_dict=True, verbose=0)
    expected = run["metrics"]["results"]["NextItNet, 4 blocks"]
    assert {k: found[k] for k in expected} == pytest.approx(expected)
    growing = sr.StackingCallback("stackC", {1: 8})
    fit = model.fit(split.train.batches(8), epochs=2, verbose=0, callbacks=[growing])
    assert fit.history["num_blocks"] == [4, 8]


def _values(model, name):
    variables = model.weights if name == "weights" else model.optimizer.variables
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def test_the_card_says_how_the_model_was_trained_and_how_good_it_is(card, finished_run):
    run = sr.runs.read_run(finished_run)
    data = card.data
    assert (data.library_name, data.license) == ("keras", "apache-2.0")
    assert "nextitnet" in data.tags
    found = {r.metric_type: r.metric_value for r in data.eval_results}
    assert found == pytest.approx(run.results["NextItNet, 4 blocks"], abs=1e-6)
    split = json.loads((finished_run / "split.json").read_text())
    (result, *_) = data.eval_results
    assert result.dataset_name == "log.csv"
    assert result.dataset_revision == split["hash"]
    assert run.table in card.text and "| popularity" in card.text
    assert "stackrec train --data log.csv --length 8" in card.text
    backend = keras.backend.backend()
    for part in ("56 train", "learning-rate 0.03", f"Backend: {backend}", "keras 3."):
        assert part in card.text


def test_the_code_of_the_card_runs_as_it_stands(published, card, monkeypatch):
    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", lambda *_, **__: published
    )
    names = {}
    exec(re.search(r"```python\n(.*?)```", card.text, re.DOTALL)[1], names)
    assert names["items"].shape == (1, 10)


def test_no_path_of_this_machine_is_published(published, log_path):
    for path in published.rglob("*"):
        if path.is_file():
            assert str(log_path.parent).encode() not in path.read_bytes()


def test_a_preset_comes_from_the_hub(published, monkeypatch):
    asked = []

    def snapshot_download(repo_id, **arguments):
        asked.append(repo_id)
        return str(published)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert sr.load_preset("hf://somebody/films").num_blocks == 4
    assert asked == ["somebody/films"]
    for address in ("hf://films", "hf://a/b/c", "hf://a b/c"):
        with refused("preset", address):
            sr.load_preset(address)


def test_a_recipe_has_no_weights_to_download_but_a_command_that_trains_it():
    with refused("preset", "hstu-ml1m", "not published") as error:
        sr.load_preset("hstu-ml1m")
    assert "stackrec train --recipe hstu-ml1m --out runs/hstu-ml1m" in error.value.fix
    assert "sasrec-ml1m" in error.value.fix
    with refused("preset", "hstu-ml1", "is not a folder. Did you mean 'hstu-ml1m'"):
        sr.load_preset("hstu-ml1")
    with refused("preset", 3, "must be a path"):
        sr.load_preset(3)


def test_a_run_folder_is_not_a_preset_and_a_preset_is_not_a_run_folder(
    finished_run, published, tmp_path
):
    with refused("preset", finished_run, "It is a run folder. Use sr.runs.read_run"):
        sr.load_preset(finished_run)
    for use in (sr.runs.read_run, sr.runs.evaluate):
        with pytest.raises(FileNotFoundError, match="is a preset, not a run folder"):
            use(published)
    with pytest.raises(FileNotFoundError, match="is a preset, not a run folder"):
        sr.runs.grow(published, tmp_path / "grown")


@pytest.mark.parametrize("name", ["model.weights.h5", "assets/vocabulary.json"])
def test_a_preset_says_what_it_lacks_and_what_was_changed(preset, name):
    path = preset / name
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + b"!")
    with refused("preset", preset, f"has another {name} than was published"):
        sr.load_preset(preset)
    path.unlink()
    with refused("preset", preset, f"is incomplete: it has no {name}"):
        sr.load_preset(preset)


def test_a_list_of_files_cannot_lead_out_of_the_folder(preset):
    (preset.parent / "secret").write_text("")
    files = json.loads((preset / "preset.json").read_text())["files"]
    rewrite(preset, files={**files, "../secret": "e3b0"})
    with refused("preset", preset, "has another ../secret"):
        sr.load_preset(preset)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 1, "stackrec_keras": 1}'])
def test_a_description_that_is_none_is_refused(preset, text):
    (preset / "preset.json").write_text(text)
    with refused("preset", preset, "does not describe a preset"):
        sr.load_preset(preset)


def test_code_in_a_preset_is_refused(preset):
    code = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: 2 * x)])
    rewrite_model(preset, keras.saving.serialize_keras_object(code))
    with refused("preset", preset, "cannot be loaded. Keras says: .*unsafe|Lambda"):
        sr.load_preset(preset)


def test_another_kind_of_model_is_refused(preset):
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    shutil.rmtree(preset / "assets")  # Keras makes it itself
    other.save(preset, zipped=False)
    shutil.copy(preset / "config.json", preset / "assets" / "vocabulary.json")
    config = json.loads((preset / "config.json").read_text())
    rewrite_model(preset, config)
    with refused("preset", preset, "holds a Sequential, which is not a recommender"):
        sr.load_preset(preset)


@pytest.mark.parametrize("version", ["0.10.0", "1.0"])
def test_a_newer_version_is_named(preset, version):
    rewrite(preset, stackrec_keras=version)
    with pytest.warns(StackRecWarning, match=f"newer stackrec-keras {version} "):
        sr.load_preset(preset)
    config = json.loads((preset / "config.json").read_text())
    config["config"]["from_the_future"] = 1
    rewrite_model(preset, config)
    rewrite(preset, stackrec_keras=version)
    with pytest.warns(StackRecWarning, match="newer"):
        with refused("preset", preset, f"from_the_future.*newer .* {version}"):
            sr.load_preset(preset)


def test_a_folder_with_files_is_not_overwritten(finished_run, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with refused("folder", tmp_path, "is not empty"):
        sr.runs.publish(finished_run, tmp_path)
    with refused("folder", tmp_path / "notes.txt", "is a file"):
        sr.runs.publish(finished_run, tmp_path / "notes.txt")
    with refused("run", says="must be a path"):
        sr.runs.publish(sr.runs.read_run(finished_run), tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="is not a run folder"):
        sr.runs.publish(tmp_path / "none", tmp_path / "out")
    assert [path.name for path in Path(tmp_path).iterdir()] == ["notes.txt"]
