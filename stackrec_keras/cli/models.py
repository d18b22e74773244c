"""The architectures that `stackrec train` knows."""


def build_model(config, split):
    """Returns the untrained model of a configuration.

    Args:
        config: `TrainConfig`.
        split: The `Split` that it is to be trained on.
    """
    return MODELS[config.model](config, split)


def class_and_arguments(config):
    """Returns the class of a configuration's model, and the dict of those of its
    arguments that neither the data give nor `SearchSpace` searches."""
    from stackrec_keras import models

    own = {
        "nextitnet": (models.NextItNet, {}),
        "grec": (
            models.GRec,
            {"mask_rate": config.mask_rate, "encoder": config.encoder},
        ),
        "sasrec": (models.SASRec, {}),
        "ssept": (models.SSEPT, {"user_noise": config.user_noise}),
    }
    model_class, arguments = own[config.model]
    convolutional = config.model in ("nextitnet", "grec")
    shared = _convolutional(config) if convolutional else _transformer(config)
    searched = ("num_blocks", "embedding_dim", "dropout")
    rest = {name: value for name, value in shared.items() if name not in searched}
    return model_class, {**rest, **arguments}


def takes_users(config):
    """Returns whether the model of a configuration is given the users."""
    return config.model == "ssept"


def _nextitnet(config, split):
    from stackrec_keras.models import NextItNet

    return NextItNet(split.num_items, **_convolutional(config))


def _grec(config, split):
    from stackrec_keras.models import GRec

    return GRec(
        split.num_items,
        config.mask_rate,
        encoder=config.encoder,
        **_convolutional(config),
    )


def _sasrec(config, split):
    from stackrec_keras.models import SASRec

    return SASRec(
        split.num_items,
        split.train.length - 1,
        embedding_dim=config.embedding_dim,
        **_transformer(config),
    )


def _ssept(config, split):
    from stackrec_keras.models import SSEPT

    return SSEPT(
        split.num_items,
        split.num_users,
        split.train.length - 1,
        item_dim=config.embedding_dim,
        user_dim=config.embedding_dim,
        user_noise=config.user_noise,
        **_transformer(config),
    )


def _convolutional(config):
    return {
        "embedding_dim": config.embedding_dim,
        "num_blocks": config.num_blocks,
        "kernel_size": config.kernel_size,
        "dilations": config.dilations,
    }


def _transformer(config):
    dropout = {} if config.dropout is None else {"dropout": config.dropout}
    return {
        **dropout,
        "num_blocks": config.num_blocks,
        "num_heads": config.num_heads,
        "norm": config.norm,
        "padding_mask": config.padding_mask,
    }


# One more architecture is one more line: a name and a function that builds it.
MODELS = {"nextitnet": _nextitnet, "grec": _grec, "sasrec": _sasrec, "ssept": _ssept}
