"""A run that starts from the model of an earlier run."""

from dataclasses import fields

from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.folder import RunFolder
from stackrec_keras.runs.option_checks import check_same
from stackrec_keras.wording import counted


def load_trained(model, config, split):
    """Gives a model the weights of the run in `config.load_model`.

    Args:
        model: The untrained model of the configuration, not yet compiled, so that
            its optimizer starts fresh.
        config: `TrainConfig` whose `load_model` is a run folder.
        split: The `Split` to train the model on.

    Raises:
        ArgumentError: If that run had different options or data. Its weights could
            have other shapes, or it could have been trained on rows that are held out
            now.
    """
    folder = RunFolder(config.load_model)
    if not folder.is_finished:
        raise ArgumentError(
            "load_model",
            "is not the folder of a finished run",
            f"Make one: stackrec train --schedule none --out {config.load_model} ...",
            config.load_model,
        )
    run = f"the model in {config.load_model}"
    check_same(
        _model_options(config), folder.read_config(), run, "Give the same value."
    )
    found = folder.read("split")["hash"]
    if found != split.hash:
        raise ArgumentError(
            "load_model",
            f"was trained on the split {found}, but the options give {split.hash}",
            "Give the data, length and options of the split that it was trained with.",
            config.load_model,
        )
    trained = folder.read_model()
    if trained.num_blocks != config.num_blocks:
        raise ArgumentError(
            "load_model",
            f"has {counted(trained.num_blocks, 'block')}, but the run is to start with "
            f"{config.num_blocks}",
            "Start with the same number of blocks.",
            config.load_model,
        )
    model.set_weights(trained.get_weights())


def _model_options(config):
    """Returns the options that the models of both runs must have in common."""
    groups = ("model", "item features")
    names = [f.name for f in fields(config) if f.metadata["group"] in groups]
    return {name: getattr(config, name) for name in names if name != "num_blocks"}
