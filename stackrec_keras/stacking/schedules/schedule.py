"""What every kind of schedule can do."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stackrec_keras.stacking.growable import Growable
    from stackrec_keras.stacking.growth import Growth


class Schedule:
    """Says when a model grows, and to how many blocks.

    A schedule is configuration: it does not change during a fit, so one schedule may
    serve several fits. `start` returns the `RunningSchedule` of one fit.

    A new kind of schedule is a subclass that defines `start`.
    """

    monitor: str | None = None
    """String, the key of the logs that the schedule follows, or `None`."""

    data_shares: dict[int, float] | None = None
    """Dict, the fraction of the training rows in each stage, or `None` if every epoch
    uses all rows."""

    def table(
        self,
        initial_blocks: int,
        epochs: int,
        step: int | None = None,
        num_blocks: int | None = None,
    ) -> dict[int, int] | None:
        """Returns the epochs at which a model grows, if they are known before training.

        Args:
            initial_blocks: Integer, the depth that the model was built with.
            epochs: Integer, the number of epochs of the fit.
            step: Integer, how many blocks a growth step adds. Defaults to `None`, which
                doubles the depth.
            num_blocks: Integer, the depth that the model has now. Defaults to `None`,
                `initial_blocks`.

        Returns:
            A dict from epoch to number of blocks, or `None` if the epochs depend on
            how training goes.
        """
        return None

    def data_share(self, epoch: int, epochs: int) -> float:
        """Returns the fraction of the training rows to use at `epoch` in a fit of
        `epochs` epochs."""
        return 1.0

    def start(
        self, model: "Growable", epochs: int, growth: "Growth"
    ) -> "RunningSchedule":
        """Starts the schedule for a fit, before any training.

        Args:
            model: The model that is about to be trained.
            epochs: Integer, the number of epochs of the fit.
            growth: `Growth`, how the model grows.

        Returns:
            A `RunningSchedule`.

        Raises:
            ArgumentError: If the schedule does not fit the model or the epochs.
        """
        raise NotImplementedError(f"{type(self).__name__} must define start().")


class RunningSchedule:
    """A schedule in one fit.

    What it needs to resume an interrupted fit is in `model.growth_record`, a
    `GrowthRecord` that is saved with the model's weights. A backup is restored after
    `Schedule.start` and before the first `due`.

    Args:
        model: The model that is trained.
        growth: `Growth`, how the model grows.
    """

    def __init__(self, model: "Growable", growth: "Growth") -> None:
        self.model = model
        self.growth = growth

    def depths(self) -> list[int]:
        """Returns all depths that the model may grow to, in order. They are checked
        before training."""
        raise NotImplementedError(f"{type(self).__name__} must define depths().")

    def begin(self, epoch: int) -> str:
        """Called at the beginning of each epoch, before `due`. It may make the model
        what it was before. Returns a line for the user, or `""`."""
        return ""

    def due(self, epoch: int) -> list[int]:
        """Returns all depths, in order, that the model must have reached when an epoch
        begins. The caller skips those that it has already reached.

        A fit that resumes from a shallower checkpoint therefore grows in the same steps
        as a fit that was never interrupted.
        """
        raise NotImplementedError(f"{type(self).__name__} must define due().")

    def validated(self, logs: dict[str, float]) -> None:
        """Called after each validation, while the model still has the weights that
        were validated.

        Args:
            logs: Dict of the validation's results, such as `val_loss`.
        """

    def observe(self, epoch: int, logs: dict[str, float]) -> None:
        """Called at the end of each epoch with its logs."""

    def finish(self) -> str:
        """Called at the end of the fit. Returns a line for the user, or `""`."""
        return ""
