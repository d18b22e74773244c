"""Reads a model from a `.keras` file."""


def read_model_file(path):
    """Returns the model in a `.keras` file.

    Raises:
        ArgumentError: If the file is damaged.
    """
    import keras

    from stackrec_keras.models import import_all
    from stackrec_keras.models.weights_checksum import check_undamaged

    check_undamaged(path)
    import_all()
    return keras.saving.load_model(path)
