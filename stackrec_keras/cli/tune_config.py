"""The configuration of a search: what `stackrec tune` is told."""

from dataclasses import asdict, dataclass, field, fields

from stackrec_keras.cli.config import TrainConfig, option_name

TUNERS = ("random", "bayesian", "hyperband", "grid")
OBJECTIVES = ("quality", "time", "both")
DEFAULT_TRIALS = 10

_FIXED = ("epochs", "seed", "jit", "exclude_seen")
_SEARCHED = ("num_blocks", "embedding_dim", "dropout")

# Options of `stackrec train` that a search has not, or has as part of its space.
NOT_OURS = tuple(
    f.name
    for f in fields(TrainConfig)
    if f.name in _SEARCHED
    or (f.metadata["group"] not in ("data", "model") and f.name not in _FIXED)
)


@dataclass(frozen=True)
class TuneConfig:
    """What `stackrec tune` does. `search.json` in its folder holds it.

    Args:
        train: `TrainConfig`, what all trials have in common.
        space: Dict from a field of `SearchSpace` to what was typed for it.
        tuner: String, one of `TUNERS`.
        trials: Integer or `None`.
        objective: String, one of `OBJECTIVES`.
        target: Float or `None`.
        time_budget: Float or `None`.

    Raises:
        ValueError: If the options do not fit together.
    """

    train: TrainConfig
    space: dict = field(default_factory=dict)
    tuner: str = "random"
    trials: int | None = None
    objective: str = "quality"
    target: float | None = None
    time_budget: float | None = None

    def __post_init__(self):
        if self.tuner == "hyperband" and self.trials is not None:
            raise ValueError(
                f"--trials {self.trials} is no option of --tuner hyperband, which "
                "makes as many as --epochs asks for. Leave it out."
            )
        if self.trials is not None and self.trials < 1:
            raise ValueError(f"--trials {self.trials} must be at least 1.")
        needed = {
            "quality": (),
            "time": ("target", "time_budget"),
            "both": ("time_budget",),
        }[self.objective]
        for name in ("target", "time_budget"):
            given = getattr(self, name) is not None
            if given != (name in needed):
                raise ValueError(
                    f"--objective {self.objective} "
                    + ("takes no " if given else "needs ")
                    + f"{option_name(name)}."
                )

    def search_space(self):
        """Returns the `SearchSpace`."""
        from stackrec_keras.tuning import SearchSpace

        return SearchSpace(
            **{
                name: _parsed(name, text, getattr(SearchSpace, name))
                for name, text in self.space.items()
            }
        )

    def to_json(self):
        """Returns a dict that JSON can hold."""
        train = self.train.to_json()
        ours = {name: train[name] for name in train if name not in NOT_OURS}
        return {**asdict(self), "train": ours}

    @classmethod
    def from_json(cls, values):
        """Returns the configuration of which `to_json` made this dict."""
        return cls(**{**values, "train": TrainConfig.from_json(values["train"])})


def _parsed(name, text, default):
    """A fixed value for `"8"`, a `Choice` for `"4,8"`, a `Range` for `"4:8"`."""
    from stackrec_keras.tuning import Choice, Range

    try:
        if ":" in text:
            low, high = map(_value, text.split(":"))
            return Range(low, high, log=getattr(default, "log", False))
        values = [_value(part) for part in text.split(",")]
        return Choice(*values) if len(values) > 1 else values[0]
    except ValueError as error:
        raise ValueError(f"{option_name(name)} {text}: {error}") from error


def _value(text):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text
