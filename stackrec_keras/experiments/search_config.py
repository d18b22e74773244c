"""The configuration of a search: the options of `stackrec tune`."""

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from stackrec_keras.arguments import check_choice, check_integer
from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.config import TrainConfig

if TYPE_CHECKING:  # KerasTuner takes most of a second to import
    from stackrec_keras.tuning import SearchSpace

TUNERS = ("random", "bayesian", "hyperband", "grid")
OBJECTIVES = ("quality", "time", "both")
DEFAULT_TRIALS = 10

_FIXED = ("epochs", "seed", "jit", "exclude_seen")
_SEARCHED = ("num_blocks", "embedding_dim", "dropout")

# Options of `stackrec train` that a search lacks, or that its search space covers.
NOT_OURS = tuple(
    f.name
    for f in fields(TrainConfig)
    if f.name in _SEARCHED
    or (f.metadata["group"] not in ("data", "model") and f.name not in _FIXED)
)


@dataclass(frozen=True)
class TuneConfig:
    """The options of a search, the same as those of `stackrec tune`. The search folder
    holds them in `search.json`.

    Args:
        train: `TrainConfig`, the options that all trials share.
        space: Dict from a field of `SearchSpace` to a string: a value (`"8"`), several
            (`"4,8"`) or a range (`"4:8"`). Defaults to `{}`.
        tuner: String, one of `TUNERS`. Defaults to `"random"`.
        trials: Integer, the maximum number of trials. Defaults to `None`, which
            means all combinations for the tuner `"grid"` and 10 trials for `"random"`
            and `"bayesian"`. The tuner `"hyperband"` accepts only `None`.
        objective: String, one of `OBJECTIVES`. Defaults to `"quality"`.
        target: Float, the validation MRR@5 that a trial must reach, for the objective
            `"time"`. Defaults to `None`.
        time_budget: Float, the seconds after which a trial ends. Defaults to `None`.

    Raises:
        ArgumentError: If the options do not go together.
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
            raise ArgumentError(
                "trials",
                "is not an option of the hyperband tuner, which derives the number "
                "of trials from the number of epochs",
                "Leave it out.",
                self.trials,
            )
        if self.trials is not None:
            check_integer("trials", self.trials, least=1)
        check_choice("tuner", self.tuner, TUNERS)
        check_choice("objective", self.objective, OBJECTIVES)
        needed = {
            "quality": (),
            "time": ("target", "time_budget"),
            "both": ("time_budget",),
        }[self.objective]
        for name in ("target", "time_budget"):
            given = getattr(self, name) is not None
            if given != (name in needed):
                what = name.replace("_", " ")
                reason = f"takes no {what}" if given else f"needs a {what}"
                raise ArgumentError("objective", reason, received=self.objective)

    def check_train(self) -> None:
        """Checks that `train` does not set what the search decides."""
        default = {f.name: f.default for f in fields(TrainConfig)}
        for name in NOT_OURS:
            value = getattr(self.train, name)
            if value != default[name]:
                raise ArgumentError(
                    name,
                    "cannot be set in a search, because the search sets it itself",
                    "Leave it out of train.",
                    value,
                )

    def search_space(self) -> "SearchSpace":
        """Returns the `SearchSpace`."""
        from stackrec_keras.tuning import SearchSpace

        return SearchSpace(
            **{
                name: _parsed(name, text, getattr(SearchSpace, name))
                for name, text in self.space.items()
            }
        )

    def to_json(self) -> dict[str, Any]:
        """Returns a dict that JSON can hold."""
        train = self.train.to_json()
        ours = {name: train[name] for name in train if name not in NOT_OURS}
        return {**asdict(self), "train": ours}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "TuneConfig":
        """Restores a configuration from the dict that `to_json` returned."""
        return cls(**{**values, "train": TrainConfig.from_json(values["train"])})


def _parsed(name, text, default):
    """Returns a value for `"8"`, a `Choice` for `"4,8"`, a `Range` for `"4:8"`."""
    from stackrec_keras.tuning import Choice, Range

    try:
        if ":" in text:
            low, high = map(_value, text.split(":"))
            return Range(low, high, log=getattr(default, "log", False))
        values = [_value(part) for part in text.split(",")]
        return Choice(*values) if len(values) > 1 else values[0]
    except ValueError as error:
        reason = "must be a value, several (4,8) or a range from low to high (0.1:0.3)"
        raise ArgumentError(name, reason, received=text) from error


def _value(text):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text
