"""Checks that options go together, and that they agree with those of another run."""

from dataclasses import fields

from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.registry import CONVOLUTIONAL
from stackrec_keras.runs.config import TrainConfig
from stackrec_keras.runs.feature_options import check_feature_options
from stackrec_keras.wording import listed, shown


def check_model_options(typed, model):
    """Checks that the model has every option that was given."""
    for f in fields(TrainConfig):
        models = f.metadata.get("models", (model,))
        if f.name in typed and model not in models:
            raise ArgumentError(
                f.name,
                f"is an option of {listed(models)} only, but the model is {model}",
                "Leave it out.",
                typed[f.name],
            )


def loss_options(config):
    """Returns a dict of the loss arguments that a configuration sets."""
    values = {
        f.name: getattr(config, f.name)
        for f in fields(TrainConfig)
        if "losses" in f.metadata
    }
    return {name: value for name, value in values.items() if value is not None}


def check_loss_options(config):
    """Checks that the loss has every option that was given."""
    losses = {f.name: f.metadata.get("losses") for f in fields(TrainConfig)}
    for name, value in loss_options(config).items():
        if config.loss not in losses[name]:
            raise ArgumentError(
                name,
                f"is an option of {listed(losses[name])} only, but the loss is "
                f"{config.loss}",
                "Leave it out.",
                value,
            )


def check_same(asked, config, run, fix):
    """Checks that options have the same values as in an existing run.

    Args:
        asked: Dict from fields of `TrainConfig` to values.
        config: `TrainConfig` of that run.
        run: String, the name of that run in the message.
        fix: String, what to do, in whole sentences.
    """
    for name, value in asked.items():
        was = getattr(config, name)
        if value != was:
            how = f"with {shown(was)}" if was else "without it"
            reason = f"does not fit {run}, which was started {how}"
            raise ArgumentError(name, reason, fix, value)


def check_share_by(config):
    """Checks that a model that sees the oldest rows first is not tested on the
    past."""
    if config.share_by == "time" and config.split != "time":
        raise ArgumentError(
            "share_by",
            f"with the {config.split} split would train on the future and test on "
            "the past",
            "Use the time split, or choose the rows at random.",
            config.share_by,
        )


def check_new_run(config):
    """Checks that the options of a `TrainConfig` go together, without reading runs on
    disk."""
    if config.share_by == "time" and config.data_shares is None:
        raise ArgumentError(
            "share_by",
            "chooses the rows of a fraction of the data, but no fractions are given",
            "Give data shares, such as 0:0.4,2:1, or leave it out.",
            config.share_by,
        )
    check_share_by(config)
    check_loss_options(config)
    check_feature_options(config)
    if config.whole_history and config.model in CONVOLUTIONAL:
        raise ArgumentError(
            "whole_history",
            f"needs a model that reads only the last items, but {config.model} reads "
            "all that it is given",
            "Use another model, or leave it out.",
            True,
        )
    masks = config.model in ("hstu", "esasrec") or config.padding_mask
    if config.group_by_length and not masks:
        raise ArgumentError(
            "group_by_length",
            "cuts off padding, which this model reads",
            "Use hstu or esasrec, give sasrec or ssept padding_mask, or leave it out.",
            True,
        )
    if config.schedule == "none":
        for name in ("method", "top_blocks", "inherit", "optimizer_state"):
            value = getattr(config, name)
            if value != getattr(TrainConfig, name):
                raise ArgumentError(
                    name,
                    "says how the model grows, but with the schedule 'none' it does "
                    "not grow",
                    "Leave one of them out.",
                    value,
                )
    _check_steps(config)
    if config.best_of == "deepest" and config.patience is None:
        raise ArgumentError(
            "best_of",
            "says which epochs patience compares, but there is no patience",
            "Give a patience, such as 5, or leave it out.",
            config.best_of,
        )


def _check_steps(config):
    """Checks that the number of steps is known if the learning rate depends on it."""
    for name in ("warmup", "decay"):
        for other in ("max_seconds", "data_shares"):
            if getattr(config, name) and getattr(config, other) is not None:
                raise ArgumentError(
                    name,
                    "is a fraction of all steps, but their number is not known with "
                    f"{other.replace('_', ' ')}",
                    "Leave one of them out.",
                    getattr(config, name),
                )
    if config.warmup + config.decay > 1:
        reason = f"and warmup={config.warmup} add up to more than all steps"
        raise ArgumentError("decay", reason, received=config.decay)
