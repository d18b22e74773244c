"""Arms of an experiment: models trained on the same rows, each in a run folder."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, groupby

from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.config import MONITOR
from stackrec_keras.runs.option_checks import check_same


@dataclass(frozen=True)
class Stage:
    """A stage: consecutive epochs with the same depth and rows, and their time."""

    num_blocks: int
    data_share: float
    epochs: int
    seconds: float
    task: str = ""


@dataclass(frozen=True)
class Arm:
    """A model that was trained.

    Args:
        name: String.
        seed: Integer.
        rows: List of dicts, the history of the run that the arm started from, then the
            arm's own history.
        test: Dict from metric to value on the test rows, with the weights of the
            best epoch of the last depth.
        popularity: Dict, the same metrics for the popularity baseline.
        before: List of `Stage`, the arm's earlier training on a different task.
        task: String, a name for the present task.
    """

    name: str
    seed: int
    rows: list
    test: dict
    popularity: dict
    before: list = field(default_factory=list)
    task: str = ""

    @cached_property
    def values(self) -> list[float]:
        """Validation quality at the end of each epoch in `rows`."""
        return [row[MONITOR] for row in self.rows]

    @cached_property
    def clock(self) -> list[float]:
        """Seconds from the start of training to each epoch's end. They include
        validation, compiling and the stages in `before`."""
        start = sum(stage.seconds for stage in self.before)
        seconds = accumulate((row["seconds"] for row in self.rows), initial=start)
        return [round(t, 3) for t in seconds][1:]

    @property
    def seconds(self) -> float:
        """Seconds of the whole training."""
        return self.clock[-1]

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights the arm keeps: the best of its last depth."""
        first = [row["num_blocks"] for row in self.rows].index(self.num_blocks)
        return first + self.values[first:].index(max(self.values[first:]))

    @property
    def num_blocks(self) -> int:
        """The arm's last depth."""
        return self.rows[-1]["num_blocks"]

    @property
    def stages(self) -> list[Stage]:
        """List of `Stage`."""
        return self.before + stages_of(self.rows, self.task)

    def last_stage_to(self, quality: float) -> float | None:
        """Like `seconds_to`, but counted from the start of the last stage."""
        stage = self.stages[-1]
        start = self.seconds - stage.seconds
        for value, seconds in list(zip(self.values, self.clock))[-stage.epochs :]:
            if value >= quality:
                return round(seconds - start, 3)
        return None

    def seconds_to(self, quality: float) -> float | None:
        """Seconds to the end of the first epoch that reached a validation quality, or
        `None` if no epoch did."""
        for value, seconds in zip(self.values, self.clock, strict=True):
            if value >= quality:
                return seconds
        return None


def earlier_rows(config):
    """Returns the history of the run that a `TrainConfig` starts from."""
    from stackrec_keras.runs.callbacks.history_file import read_rows
    from stackrec_keras.runs.folder import RunFolder

    if config.load_model is None:
        return []
    history = RunFolder(config.load_model).history
    if not history.exists():
        raise ArgumentError(
            "load_model",
            "is gone, but the table needs the seconds of its training",
            "Restore it.",
            config.load_model,
        )
    return read_rows(history)


def stages_of(rows, task=""):
    """Returns the stages of a history, a list of `Stage`."""
    found = []
    for (depth, share), same in groupby(rows, _depth_and_share):
        seconds = [row["seconds"] for row in same]
        total = round(sum(seconds), 3)
        found.append(Stage(depth, share, len(seconds), total, task))
    return found


def _depth_and_share(row):
    return row["num_blocks"], row.get("data_share", 1.0)


class Arms:
    """Trains the arms of one seed. Each arm keeps the weights of its best epoch.

    Args:
        out: `Path` of the scenario's folder.
        split: The `Split` that the arms are trained on.
        seed: Integer.

    Attributes:
        trained: List of `Arm`.
    """

    def __init__(self, out, split, seed):
        self.out, self.split, self.seed = out, split, seed
        self.trained = []

    def train(self, name, config):
        """Trains an arm: a run of `stackrec train`.

        Returns:
            The `Arm`.
        """
        from stackrec_keras.runs.training import train_split

        folder = self.run(name, config, self.split, train_split)
        return self.add(name, folder, earlier_rows(config))

    def run(self, name, config, split, train):
        """Starts a training run, or continues it if it was interrupted.

        Args:
            name: String, also the name of its run folder. A `/` nests one folder in
                another.
            config: `TrainConfig`.
            split: The split to train on.
            train: Function with the arguments of `train_split`.

        Returns:
            The `RunFolder`.

        Raises:
            ArgumentError: If the folder holds a run with different options or data.
        """
        import keras

        from stackrec_keras.runs.folder import RunFolder

        # This patience never stops the training, but makes it end with the weights of
        # the best epoch.
        config = replace(
            config, seed=self.seed, patience=config.epochs, best_of="deepest"
        )
        path = name.replace(",", "").replace(" ", "-")
        folder = RunFolder(self.out / f"seed-{self.seed}" / path)
        self._check(folder, config, split)
        print(f"\n{name}, seed {self.seed}", end=": ", flush=True)
        if folder.is_finished:
            print("already finished")
        else:
            keras.backend.clear_session()
            print(f"\n{train(split, config, folder, resume=True)}")
        return folder

    def add(self, name, folder, earlier=(), **arguments):
        """Adds an arm whose run is finished, and returns it.

        Args:
            name: String.
            folder: Its `RunFolder`.
            earlier: List of dicts, the history of the run that the arm
                started from.
            **arguments: Other arguments of `Arm`.
        """
        from stackrec_keras.runs.callbacks.history_file import read_rows

        results = folder.read("metrics")["results"]
        popularity = results.pop("popularity")
        (test,) = results.values()
        rows = [*earlier, *read_rows(folder.history)]
        arm = Arm(name, self.seed, rows, test, popularity, **arguments)
        self.trained.append(arm)
        return arm

    def _check(self, folder, config, split):
        if not folder.holds_run:
            return
        run = f"the run in {folder.path}"
        fix = "Give the options that it was started with, or another folder."
        check_same(vars(config), folder.read_config(), run, fix)
        found = folder.read("split")["hash"]
        if found != split.hash:
            raise ArgumentError(
                "data",
                f"has changed: it gives the split {split.hash}, but {run} was made "
                f"with {found}",
                "Restore the data, or give another folder.",
                config.data,
            )
