"""A finished run: its model, history and results."""

from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from stackrec_keras.models import SequentialRecommender
from stackrec_keras.runs.config import TrainConfig
from stackrec_keras.runs.folder import RunFolder


@dataclass(frozen=True)
class Run:
    """A finished training run. Printing it shows its table.

    Attributes:
        folder: `Path` of the run folder, or `None`.
        config: The run's `TrainConfig`.
        model: The trained model.
        history: Dict of lists with one value per epoch, as in
            `keras.callbacks.History`.
        results: Dict with the keys `"popularity"` and the model's title. Each value is
            a dict from metric to its value on the test rows.
        table: String, `results` as a Markdown table.
    """

    folder: Path | None
    config: TrainConfig
    model: SequentialRecommender
    history: dict[str, list] = field(repr=False)
    results: dict[str, dict[str, float]] = field(repr=False)
    table: str = field(repr=False)

    def __str__(self) -> str:
        where = "" if self.folder is None else f"\n\nRun folder: {self.folder}"
        return self.table + where


def read_run(folder: str | PathLike) -> Run:
    """Reads a run that `train`, `grow` or the command line wrote.

    Args:
        folder: The run folder.

    Raises:
        FileNotFoundError: If it is not a run folder, or its run is not finished.
    """
    found = RunFolder(folder)
    return run_of(found, found.read_model())


def finished_run(folder):
    """Prints that the `Run` to resume is already finished, and returns it."""
    print(f"The run in {folder.path} is already finished.")
    return run_of(folder, folder.read_model())


def run_of(folder, model):
    """Returns the `Run` of a `RunFolder`, given its trained model."""
    return Run(
        folder.path,
        folder.read_config(),
        model,
        folder.read("history_json"),
        folder.read("metrics")["results"],
        folder.table.read_text(encoding="utf-8").rstrip("\n"),
    )
