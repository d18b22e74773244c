"""Reads the trained model that a command uses."""

from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.folder import RunFolder
from stackrec_keras.runs.model_file import read_model_file


def read_trained_model(path):
    """Returns the model of a run folder, of a `.keras` file or of a preset.

    Raises:
        ArgumentError: If the model has no vocabulary of raw item ids.
    """
    if not path.endswith(".keras"):
        from stackrec_keras.runs.presets import is_preset, load_preset

        return load_preset(path) if is_preset(path) else RunFolder(path).read_model()
    model = read_model_file(path)
    if model.vocabulary is None or model.target_vocabulary is None:
        raise ArgumentError(
            "folder",
            "holds a model without a vocabulary, so its raw ids are unknown",
            "Set model.vocabulary and save the model, or repeat `stackrec convert` "
            "with --sequences.",
            path,
        )
    return model
