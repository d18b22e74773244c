"""Arms of a scenario: nets trained on the same rows, each in a run folder."""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import accumulate, groupby

from stackrec_keras.cli.config import TrainConfig, option_name
from stackrec_keras.cli.history_file import read_rows
from stackrec_keras.cli.run_folder import RunFolder

MONITOR = "val_mrr@5"


@dataclass(frozen=True)
class Stage:
    """What a stage took: epochs of equal depth and rows, one after the other."""

    num_blocks: int
    data_share: float
    epochs: int
    seconds: float


@dataclass(frozen=True)
class Arm:
    """A net that was trained.

    Args:
        name: String.
        seed: Integer.
        rows: List of dicts, its history, after that of the run that it started from.
        test: Dict from metric to value on the test rows, with the weights of the
            best epoch.
        earlier: Integer, how many of the rows are of the run that it started from.
    """

    name: str
    seed: int
    rows: list
    test: dict
    earlier: int = 0

    @cached_property
    def values(self):
        """Validation quality at each epoch's end, from the first one on."""
        return [row[MONITOR] for row in self.rows]

    @cached_property
    def clock(self):
        """Seconds of training at each epoch's end, validation and compiling too."""
        return [round(t, 3) for t in accumulate(row["seconds"] for row in self.rows)]

    @property
    def seconds(self):
        """Seconds of the whole training."""
        return self.clock[-1]

    @property
    def best_epoch(self):
        """The epoch whose weights the arm ended with, counted from the first one."""
        own = self.values[self.earlier :]
        return self.earlier + own.index(max(own))

    @property
    def num_blocks(self):
        """Depth at the best epoch."""
        return self.rows[self.best_epoch]["num_blocks"]

    @property
    def stages(self):
        """List of `Stage`."""
        found = []
        for (depth, share), rows in groupby(self.rows, _depth_and_share):
            seconds = [row["seconds"] for row in rows]
            found.append(Stage(depth, share, len(seconds), round(sum(seconds), 3)))
        return found

    def seconds_to(self, quality):
        """Seconds to the end of the first epoch with that validation quality, or
        `None` if there was none."""
        for value, seconds in zip(self.values, self.clock, strict=True):
            if value >= quality:
                return seconds
        return None


def _depth_and_share(row):
    return row["num_blocks"], row.get("data_share", 1.0)


class Arms:
    """Trains the arms of one seed, each to the weights of its best epoch.

    Args:
        out: `Path` of the scenario's folder.
        split: The `Split` they are trained on.
        seed: Integer.

    Attributes:
        trained: List of `Arm`.
    """

    def __init__(self, out, split, seed):
        self.out, self.split, self.seed = out, split, seed
        self.trained = []

    def train(self, name, config):
        """Trains an arm, or goes on with it, or finds it finished.

        Raises:
            ValueError: If its folder holds a run with other options or other data.
        """
        import keras

        from stackrec_keras.cli.train import train_on

        # Patience that never runs out: all epochs, and the best one's weights.
        config = replace(config, seed=self.seed, patience=config.epochs)
        folder = self._folder(name)
        self._check(folder, config)
        print(f"\n{name}, seed {self.seed}", end=": ", flush=True)
        if folder.is_finished:
            print("finished already")
        else:
            keras.backend.clear_session()
            train_on(self.split, config, folder, resume=True)
        self.trained.append(_read_arm(name, config, folder))
        return self.trained[-1]

    def _folder(self, name):
        name = name.replace(",", "").replace(" ", "-")
        return RunFolder(self.out / f"seed-{self.seed}" / name)

    def _check(self, folder, config):
        if not (folder.config.exists() and folder.split.exists()):
            return
        before = folder.read_config()
        for f in fields(TrainConfig):
            asked, was = getattr(config, f.name), getattr(before, f.name)
            if asked != was:
                raise ValueError(
                    f"{option_name(f.name)} {asked} does not fit the run in "
                    f"{folder.path}, which was started with {was}. Give the options "
                    "that it was started with, or another --out."
                )
        found = folder.read("split")["hash"]
        if found != self.split.hash:
            raise ValueError(
                f"--data {config.data} has changed: it gives the split "
                f"{self.split.hash}, and the run in {folder.path} was made with "
                f"{found}. Bring back the data, or give another --out."
            )


def _read_arm(name, config, folder):
    earlier = []
    if config.load_model is not None:
        earlier = read_rows(RunFolder(config.load_model).history)
    rows = earlier + read_rows(folder.history)
    results = folder.read("metrics")["results"]
    test = next(values for net, values in results.items() if net != "popularity")
    return Arm(name, config.seed, rows, test, len(earlier))
