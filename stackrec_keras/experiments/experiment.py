"""An experiment: options in, arms trained, report out."""

from dataclasses import dataclass, field
from pathlib import Path

from stackrec_keras.experiments.arms import Arm, Arms


@dataclass(frozen=True)
class Experiment:
    """An experiment that is finished. Printed, it is its table.

    Attributes:
        folder: `Path` of the folder, with a run folder for each arm of each seed.
        arms: List of `Arm`, all seeds'.
        table: String, Markdown.
    """

    folder: Path
    arms: list[Arm] = field(repr=False)
    table: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.table}\n\nFolder: {self.folder}"


def run_experiment(kind, out, seeds, options):
    """Runs an experiment, or goes on with it.

    Args:
        kind: `FasterTraining` or a subclass of it.
        out: The folder to write.
        seeds: Sequence of integers.
        options: Dict from names in `kind.takes()` to values.

    Returns:
        An `Experiment`.

    Raises:
        ValueError: If the options do not fit, or the folder holds runs with others.
    """
    from stackrec_keras.experiments.report import write_report

    unknown = [name for name in options if name not in kind.takes()]
    if unknown:
        raise ValueError(
            f"{unknown[0]}={options[unknown[0]]!r} is no option of this experiment, "
            f"which takes {', '.join(kind.takes())}."
        )
    _check_seeds(seeds)
    experiment = kind(options)
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out {out} is a file. Give a folder.")
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
        raise ValueError(
            f"--seeds {' '.join(map(str, seeds))} must be different numbers from 0 up."
        )
