"""Recipes: configurations of published results by name, one file each.

To add a recipe, write a file with a docstring, `CONFIG`, `GROWN` and `PUBLISHED`, and
add it to `_FILES`. What was measured is in measured.py.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from stackrec_keras.arguments import check_choice, nearest_names
from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.config import TrainConfig
from stackrec_keras.runs.data_checks import LEAVE_ONE_OUT_OPTIONS
from stackrec_keras.runs.named_recipes import (
    esasrec_ml1m,
    hstu_full_softmax_ml1m,
    hstu_large_ml1m,
    hstu_ml1m,
    sasrec_ml1m,
)
from stackrec_keras.runs.named_recipes.measured import MEASURED

_FILES = {
    "sasrec-ml1m": sasrec_ml1m,
    "esasrec-ml1m": esasrec_ml1m,
    "hstu-ml1m": hstu_ml1m,
    "hstu-large-ml1m": hstu_large_ml1m,
    "hstu-full-softmax-ml1m": hstu_full_softmax_ml1m,
}


@dataclass(frozen=True)
class Recipe:
    """A configuration with a name.

    Args:
        config: `TrainConfig`.
        description: String, what it is, in several lines.
        published: Dict from a source to its HR@10 and NDCG@10; empty if there is none.
        measured: String, what was measured here, or `None`.
    """

    config: TrainConfig
    description: str
    published: dict[str, tuple[float, float]]
    measured: str | None


def _recipes():
    for name, file in _FILES.items():
        about = file.__doc__.strip()
        yield name, Recipe(file.CONFIG, about, file.PUBLISHED, MEASURED.get(name))
        yield _grown(name, file.GROWN)


def _grown(name, config):
    deepest = config.schedule.split(":")[-1]
    grown = f"{name}-grown"
    about = (
        f"{name}, grown from {config.num_blocks} to {deepest} blocks.\n\n"
        f"    stackrec train --recipe {grown} --out runs/{grown}\n\n"
        f"The schedule is {config.schedule}. Nothing is published."
    )
    return grown, Recipe(config, about, {}, MEASURED.get(grown))


RECIPES = dict(_recipes())


def recipe(name: str, **options: Any) -> TrainConfig:
    """Returns the configuration of a published result.

    `stackrec train --recipe NAME` trains with it, and `stackrec recipes` lists all.

    If `options` change the loss, model or split, those options of the recipe that do
    not apply to the new loss, model or split return to their defaults.

    Args:
        name: String, such as `"sasrec-ml1m"`, or `"sasrec-ml1m-grown"` for a model
            that starts with 2 blocks and grows to 8.
        **options: Fields of `TrainConfig` that replace those of the recipe.

    Returns:
        A `TrainConfig`.

    Raises:
        ArgumentError: If there is no such recipe, or an option is invalid.

    Example:

    ```python
    config = sr.runs.recipe("sasrec-ml1m", epochs=1)
    run = sr.runs.train(config, "runs/sasrec")
    ```
    """
    check_choice("name", name, tuple(RECIPES))
    known = {f.name for f in fields(TrainConfig)}
    for option, value in options.items():
        if option not in known:
            meant = nearest_names(TrainConfig, [option])
            raise ArgumentError(option, "is not a field of TrainConfig", meant, value)
    config = RECIPES[name].config
    return replace(config, **{**_defaults_beside(config, options), **options})


def _defaults_beside(config, options):
    """Returns the defaults of the options that do not apply to the new loss, model or
    split."""
    new = {n: options.get(n, getattr(config, n)) for n in ("loss", "model", "split")}
    return {
        f.name: f.default
        for f in fields(TrainConfig)
        if new["loss"] not in f.metadata.get("losses", (new["loss"],))
        or new["model"] not in f.metadata.get("models", (new["model"],))
        or (f.name in LEAVE_ONE_OUT_OPTIONS and new["split"] != "leave-one-out")
    }


def recipes() -> dict[str, str]:
    """Returns what each recipe is, what was published, and what was measured here.

    Returns:
        Dict from the name of a recipe to a string of several lines.
    """
    return {
        name: f"{found.description}\nMeasured: {found.measured or 'not yet'}."
        for name, found in RECIPES.items()
    }
