from stackrec_keras.data import Vocabulary


def check_vocabulary(name, vocabulary, size_name, size):
    """Raises an error for what a model cannot have as the vocabulary of a catalogue."""
    if vocabulary is None:
        return
    if not isinstance(vocabulary, Vocabulary):
        raise ValueError(
            f"{name} must be a data.Vocabulary, or None. Received: "
            f"{vocabulary!r:.100}. Give data.Vocabulary(ids), the id of item 1 first."
        )
    if len(vocabulary) != size:
        raise ValueError(
            f"{name} has {len(vocabulary)} items, the model {size_name}={size}. Build "
            f"the model with {size_name}=len({name})."
        )
    vocabulary.get_config()  # raises where no file could hold its ids
