"""A run that starts from the model of another."""

from dataclasses import fields

from stackrec_keras.runs.config import check_same
from stackrec_keras.runs.folder import RunFolder


def load_trained(model, config, split):
    """Gives a model the weights of the run in `--load-model`.

    Args:
        model: The untrained model of the configuration, not compiled yet, so that
            its optimizer starts anew.
        config: `TrainConfig` whose `load_model` is a run folder.
        split: The `Split` that the model is to be trained on.

    Raises:
        ValueError: If the run's options or data are others: its model would not fit,
            or would have been trained on rows that are held out now.
    """
    folder = RunFolder(config.load_model)
    if not folder.is_finished:
        raise ValueError(
            f"--load-model {config.load_model} is no folder of a finished run. Make "
            f"one: stackrec train --schedule none --out {config.load_model} ..."
        )
    run = f"--load-model {config.load_model}"
    check_same(_model_options(config), folder.read_config(), run, "Give the same.")
    found = folder.read("split")["hash"]
    if found != split.hash:
        raise ValueError(
            f"--load-model {config.load_model} was trained on the split {found}, and "
            f"the options give {split.hash}. Give --data, --length and the split's "
            "options as they were then."
        )
    trained = folder.read_model()
    if trained.num_blocks != config.num_blocks:
        raise ValueError(
            f"--load-model {config.load_model} has {trained.num_blocks} blocks, and "
            f"the run is to start with --num-blocks {config.num_blocks}. Give the same."
        )
    model.set_weights(trained.get_weights())


def _model_options(config):
    """The options that the model of a run must have in common with another's."""
    names = [f.name for f in fields(config) if f.metadata["group"] == "model"]
    return {name: getattr(config, name) for name in names if name != "num_blocks"}
