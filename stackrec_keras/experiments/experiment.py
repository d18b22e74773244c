"""An experiment: reads its options, trains its arms, writes its report."""

from dataclasses import dataclass, field
from pathlib import Path

from stackrec_keras.errors import ArgumentError
from stackrec_keras.experiments.arms import Arm, Arms
from stackrec_keras.runs.folder import RunFolder
from stackrec_keras.wording import did_you_mean


@dataclass(frozen=True)
class Experiment:
    """A finished experiment. Printing it shows its table.

    Attributes:
        folder: `Path` of the folder, with a run folder for each arm of each seed.
        arms: List of `Arm`, the arms of all seeds.
        table: String, Markdown.
    """

    folder: Path
    arms: list[Arm] = field(repr=False)
    table: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.table}\n\nFolder: {self.folder}"


def run_experiment(kind, out, seeds, options):
    """Runs an experiment, or continues it.

    Args:
        kind: `FasterTraining` or a subclass of it.
        out: The folder to write.
        seeds: Sequence of integers.
        options: Dict from names in `kind.takes()` to values.

    Returns:
        An `Experiment`.

    Raises:
        ArgumentError: If the options do not go together, or differ from those of the
            runs in the folder.
    """
    from stackrec_keras.experiments.report import write_report

    takes = kind.takes()
    unknown = [name for name in options if name not in takes]
    if unknown:
        raise ArgumentError(
            unknown[0],
            f"is not an option of this experiment, which takes {', '.join(takes)}",
            did_you_mean(unknown[0], takes),
            options[unknown[0]],
        )
    _check_seeds(seeds)
    experiment = kind(options)
    out = Path(out)
    RunFolder(out).check_path()
    experiment.read()
    print(experiment.split)
    done = []
    for seed in seeds:
        arms = Arms(out, experiment.split, seed)
        experiment.train_arms(arms)
        done += arms.trained
        table = write_report(out, experiment.name, experiment.split, done)
    return Experiment(out, done, table)


def _check_seeds(seeds):
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        reason = "must be different integers of at least 0"
        raise ArgumentError("seeds", reason, received=list(seeds))
