"""What a model is compiled with."""

import inspect
from dataclasses import dataclass, field
from typing import Any

import keras

from stackrec_keras import losses, metrics
from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import did_you_mean


@dataclass(frozen=True)
class Compiled:
    """The loss, the metrics and the other arguments of `compile`.

    Keras does not look inside this object, so it neither tracks the metrics a second
    time nor feeds them hidden states.

    Args:
        loss: A loss of `stackrec_keras.losses`.
        metrics: List of metrics of `stackrec_keras.metrics`.
        exclude_seen: Boolean or `None`, as in `SequentialRecommender.compile`.
        arguments: Dict of the arguments that go to `keras.Model.compile`.
        mean_loss: Metric, the mean of the losses of an epoch's steps.
    """

    loss: losses.CatalogueLoss
    metrics: list
    exclude_seen: bool | None
    arguments: dict[str, Any]
    mean_loss: keras.metrics.Mean = field(
        default_factory=lambda: keras.metrics.Mean("loss")
    )

    @classmethod
    def from_arguments(
        cls,
        loss: Any,
        metric_list: Any,
        exclude_seen: bool | None,
        arguments: dict[str, Any],
    ) -> "Compiled":
        """Reads the arguments of `compile`. Losses and metrics may be given by name.

        Raises:
            ArgumentError: If the loss does not take hidden states, a metric does not
                take scores, or there is no such argument, or none for these models.
        """
        _, *known = inspect.signature(keras.Model.compile).parameters
        known.append("exclude_seen")
        for name, value in arguments.items():
            if name not in known:
                meant = did_you_mean(name, known)
                raise ArgumentError(name, "is not an argument of compile", meant, value)
        for name in ("weighted_metrics", "loss_weights"):
            if arguments.get(name) is not None:
                raise ArgumentError(
                    name,
                    "has no meaning here: the model has one loss, and its metrics "
                    "rank the single next item",
                    "Leave it out. To weight rows, give sample_weight to fit or "
                    "evaluate, or in validation_data. Metrics are then weighted too.",
                    arguments[name],
                )
        return cls(
            losses.get(loss), metrics.get(metric_list), exclude_seen, dict(arguments)
        )

    def get_config(self, optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
        """Returns the serialized arguments of `compile`."""
        parts = {
            "optimizer": optimizer,
            "loss": self.loss,
            "metrics": self.metrics,
            "exclude_seen": self.exclude_seen,
        }
        return {
            name: keras.saving.serialize_keras_object(part)
            for name, part in {**parts, **self.arguments}.items()
        }
