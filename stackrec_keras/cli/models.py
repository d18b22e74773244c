"""The architectures that `stackrec train` knows."""


def build_model(config, num_items):
    """Returns the untrained model of a configuration.

    Args:
        config: `TrainConfig`.
        num_items: Integer, the size of the catalogue.
    """
    return MODELS[config.model](config, num_items)


def _nextitnet(config, num_items):
    from stackrec_keras.models import NextItNet

    return NextItNet(
        num_items,
        embedding_dim=config.embedding_dim,
        num_blocks=config.num_blocks,
        kernel_size=config.kernel_size,
        dilations=config.dilations,
    )


# One more architecture is one more line: a name and a function that builds it.
MODELS = {"nextitnet": _nextitnet}
