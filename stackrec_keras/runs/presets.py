"""Presets: trained models to share, in the layout of the Hugging Face hub."""

import hashlib
import json
import re
import textwrap
from os import PathLike
from pathlib import Path

import keras

from stackrec_keras.arguments import check_path
from stackrec_keras.errors import ArgumentError, warn
from stackrec_keras.models import SequentialRecommender, import_all
from stackrec_keras.runs.folder import PRESET_FILE, RunFolder
from stackrec_keras.runs.named_recipes import RECIPES
from stackrec_keras.version import __version__
from stackrec_keras.wording import did_you_mean

HUB = "hf://"
_VOCABULARY = "assets/vocabulary.json"
_FILES = ("config.json", "model.weights.h5", _VOCABULARY)
_PUBLISHED = 'Give a folder that `stackrec publish` wrote, or "hf://USER/NAME".'


def load_preset(preset: str | PathLike) -> SequentialRecommender:
    """Loads a trained model that `stackrec publish` wrote.

    The model knows its raw item ids, and is compiled with its loss and optimizer. It
    can recommend at once, and be evaluated, grown and trained further.

    Only classes of Keras and registered ones are loaded, as with the `safe_mode` of
    `keras.saving.load_model`. A preset holds no code.

    Args:
        preset: Path of the folder, or `"hf://USER/NAME"` for a repository on the
            Hugging Face hub, which needs `pip install "stackrec-keras[hub]"`.

    Returns:
        The model.

    Raises:
        ArgumentError: If there is no such preset, or it is incomplete, damaged or
            unsafe.

    Example:

    ```python
    model = sr.load_preset("hf://USER/films")
    films, scores = model.recommend([["Toy Story (1995)"]], k=5)
    ```
    """
    folder = _local_folder(preset)
    description = _description(folder, preset)
    _check_files(folder, description, preset)
    versions = _newer(description)
    if versions:
        warn(f"The preset {preset} was written by {versions} and may load wrongly.")
    import_all()
    try:
        model = keras.saving.load_model(folder)
    except Exception as error:  # Keras raises many kinds for a config it cannot use
        said = textwrap.shorten(str(error), 300, placeholder=" ...")
        by = f" It was written by {versions}." if versions else ""
        raise ArgumentError(
            "preset", "cannot be loaded", f"Keras says: {said}{by}", preset
        ) from error
    if not isinstance(model, SequentialRecommender):
        reason = f"holds a {type(model).__name__}, which is not a recommender"
        raise ArgumentError("preset", reason, _PUBLISHED, preset)
    return model


def is_preset(path):
    """Returns whether a path is on the hub, or is a folder that `publish` wrote."""
    return str(path).startswith(HUB) or RunFolder(path).is_preset


def describe_preset(folder, run):
    """Writes the description of a preset, beside the files that Keras wrote.

    Args:
        folder: `Path` of the preset.
        run: Dict, the facts of its run.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): _digest(path) for path in paths}
    description = {"stackrec_keras": __version__, "files": files, "run": run}
    text = json.dumps(description, indent=2, ensure_ascii=False)
    (folder / PRESET_FILE).write_text(f"{text}\n", encoding="utf-8")


def _local_folder(preset):
    check_path("preset", preset, _PUBLISHED)
    if str(preset).startswith(HUB):
        return _downloaded(str(preset))
    folder = Path(preset).absolute()
    if folder.is_dir():
        return folder
    names = ", ".join(RECIPES)
    if str(preset) not in RECIPES:
        meant = did_you_mean(str(preset), RECIPES)
        fix = f"{meant} {_PUBLISHED} Recipes that you can train: {names}.".lstrip()
        raise ArgumentError("preset", "is not a folder", fix, preset)
    raise ArgumentError(
        "preset",
        "is a recipe whose weights are not published, so there is nothing to download",
        f"Train it: stackrec train --recipe {preset} --out runs/{preset}, and then: "
        f"stackrec publish runs/{preset} --out {preset}. The recipes are {names}.",
        preset,
    )


def _downloaded(address):
    """Returns the local copy of a repository on the hub."""
    name = address.removeprefix(HUB)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise ArgumentError("preset", "must be hf://USER/NAME", received=address)
    try:
        import huggingface_hub
    except ImportError:
        raise ImportError(
            f'{address} needs one more package: pip install "stackrec-keras[hub]"'
        ) from None
    return Path(
        huggingface_hub.snapshot_download(
            name, library_name="stackrec-keras", library_version=__version__
        )
    )


def _description(folder, preset):
    path = folder / PRESET_FILE
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        files, version = description["files"], description["stackrec_keras"]
        if isinstance(files, dict) and isinstance(version, str):
            return description
        raise ValueError
    except FileNotFoundError:
        fix = _PUBLISHED
        if RunFolder(folder).model.exists():
            fix = (
                "It is a run folder. Use sr.runs.read_run(folder).model, or publish "
                f"it: stackrec publish {preset} --out FOLDER"
            )
        reason = f"has no {PRESET_FILE}, so it is not a preset"
        raise ArgumentError("preset", reason, fix, preset) from None
    except (ValueError, KeyError, TypeError) as error:
        reason = f"has a {PRESET_FILE} that does not describe a preset"
        raise ArgumentError("preset", reason, _PUBLISHED, preset) from error


def _check_files(folder, description, preset):
    """Checks that the files are those that were published."""
    files = description["files"]
    names = sorted({*_FILES, *files})
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        reason = f"is incomplete: it has no {', '.join(missing)}"
        raise ArgumentError("preset", reason, "Copy the whole folder.", preset)
    # A list from elsewhere must not lead to files outside the folder.
    inside = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    for name in names:
        if name not in inside or _digest(folder / name) != files.get(name):
            reason = f"has another {name} than was published"
            fix = "Download it again, or publish the run again."
            raise ArgumentError("preset", reason, fix, preset)


def _digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _newer(description):
    """Returns the newer version that wrote a preset, as text, or `""`."""
    theirs = description["stackrec_keras"]
    if _numbers(theirs) <= _numbers(__version__):
        return ""
    return f"the newer stackrec-keras {theirs} (this is {__version__})"


def _numbers(version):
    return [int(part) for part in re.findall(r"\d+", version)]
