"""A run that starts from the model of another."""

from dataclasses import fields

from stackrec_keras.cli.config import TrainConfig, option_name
from stackrec_keras.cli.run_folder import RunFolder


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
    _check_options(config, folder.read_config())
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


def _check_options(config, before):
    for f in fields(TrainConfig):
        if f.metadata["group"] != "model" or f.name == "num_blocks":
            continue
        asked, was = getattr(config, f.name), getattr(before, f.name)
        if asked != was:
            raise ValueError(
                f"{option_name(f.name)} {asked} does not fit --load-model "
                f"{config.load_model}, which was trained with {was}. Give the same."
            )
