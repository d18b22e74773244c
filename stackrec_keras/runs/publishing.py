"""Publishing: the model of a run, in the layout of the Hugging Face hub."""

from dataclasses import replace
from os import PathLike
from pathlib import Path

from stackrec_keras.arguments import check_path
from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.config import TRANSFER
from stackrec_keras.runs.folder import RunFolder
from stackrec_keras.runs.model_card import model_card
from stackrec_keras.runs.presets import describe_preset


def publish(
    run: str | PathLike, folder: str | PathLike, license: str | None = None
) -> Path:
    """Writes what a repository on the Hugging Face hub holds, as `stackrec publish`
    does.

    The folder holds the model with its vocabulary and optimizer, as Keras saves it for
    the hub; a model card, `README.md`, with the results of the run and the command that
    trained it; and `preset.json`, which describes the run. Users' raw ids and the
    paths of files are left out.

    `sr.load_preset` loads the folder. To upload it, run
    `hf upload USER/NAME FOLDER`. Publishing needs
    `pip install "stackrec-keras[hub]"`.

    Args:
        run: The run folder.
        folder: The folder to write. Its name is the model's name in the card.
        license: String, the license of the weights in the hub's spelling, such as
            `"apache-2.0"`. Defaults to `None`: none is named.

    Returns:
        `Path` of the folder.

    Raises:
        ArgumentError: If `run` is not a run folder, or `folder` is not empty.
        FileNotFoundError: If the run is not finished.

    Example:

    ```python
    sr.runs.publish("runs/films", "films", license="apache-2.0")
    model = sr.load_preset("films")
    ```
    """
    for name, path in {"run": run, "folder": folder}.items():
        check_path(name, path, "Give the path of a folder.")
    found, folder = RunFolder(run), Path(folder).absolute()
    _check_free(folder)
    config = _without_places(_published_config(found))
    model = found.read_model()
    facts = {name: found.read(name) for name in ("split", "environment", "metrics")}
    table = found.table.read_text(encoding="utf-8")
    grown = found.start.exists()
    card = model_card(folder.name, model, config, facts, table, grown, license)
    folder.mkdir(parents=True, exist_ok=True)
    # A relative path would make Keras lose the vocabulary.
    model.save(folder, zipped=False)
    describe_preset(folder, {"config": config.to_json(), **facts})
    (folder / "README.md").write_text(card, encoding="utf-8")
    return folder


def _published_config(run):
    config = run.read_config()
    if config.split == TRANSFER:
        fix = "Save its model: sr.runs.read_run(run).model.save(..., zipped=False)."
        reason = "is a fine-tuned arm of `stackrec scenario tf`, which has no card"
        raise ArgumentError("run", reason, fix, run.path)
    return config


def _check_free(folder):
    if folder.exists() and not folder.is_dir():
        raise ArgumentError("folder", "is a file", "Give a folder.", folder)
    if folder.is_dir() and any(folder.iterdir()):
        fix = "Give another folder, or remove this one."
        raise ArgumentError("folder", "is not empty", fix, folder)


def _without_places(config):
    """Returns a configuration whose paths are only the names of files."""
    paths = {name: getattr(config, name) for name in ("data", "item_features")}
    paths["load_model"] = config.load_model
    names = {name: path and Path(path).name for name, path in paths.items()}
    return replace(config, **names)
