import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import keras_tuner

from stackrec_keras.arguments import check_integers
from stackrec_keras.data import Split
from stackrec_keras.models.sequential_recommender import SequentialRecommender
from stackrec_keras.stacking import Growth, StackingCallback
from stackrec_keras.tuning.checks import (
    check_goal,
    check_installed,
    check_model_and_data,
    check_size,
)
from stackrec_keras.tuning.search_space import SearchSpace
from stackrec_keras.tuning.trial_clock import TrialClock
from stackrec_keras.tuning.values import draw

_WIDTHS = (("embedding_dim",), ("item_dim", "user_dim"))


class StackingHyperModel(keras_tuner.HyperModel):
    """A KerasTuner hypermodel that searches how a model is to grow.

    Give it to any tuner, and search without arguments: the data are here. Each trial
    is one fit that grows by its own schedule. `get_best_models()` gives the grown
    model of the best epoch, and evaluating it on `data.validation.batches(
    evaluation=True)` gives the trial's score.

    What to look for is `objective`, to be given to the tuner:

    - the quality, `monitor`, after at most `epochs` epochs
    - with `time_budget`, the quality within that many seconds
    - with `time_budget` and `target`, the time to a quality: the seconds until
      `monitor` reaches the target, `seconds_to_quality` in the logs. A trial that does
      not reach it counts as twice the budget, and more the further away it stays

    Args:
        model_class: A class of models, such as `sr.NextItNet`.
        data: `sr.data.Split`. Models are trained on `train` and compared on
            `validation`; `test` is left for you.
        epochs: Integer, epochs of a trial. Schedules are shares of them. Give
            `Hyperband` the same number as `max_epochs`; it trains most trials for a
            part of them.
        space: `SearchSpace`, by default `SearchSpace()`.
        monitor: String, a key of the logs of validation. Higher is better, but for
            `"val_loss"`.
        target: Float or `None`, the value of `monitor` to reach.
        time_budget: Float or `None`, seconds of a trial. It ends within the epoch.
        share_by: `"random"` or `"time"`, which rows a `first_data_share` holds: as in
            `windows.batches`.
        exclude_seen: As in `SequentialRecommender.compile`. Defaults to `None`.
        jit_compile: As in `keras.Model.compile`.
        seed: Integer, of the order of the rows and of new random blocks. Weights
            start from Keras' own seed (`keras.utils.set_random_seed`).
        name: String or `None`.
        **model_arguments: The other arguments of `model_class`; each is a fixed
            value, a `Choice` or a `Range`.

    Raises:
        ValueError: If an argument does not fit the model or the data.
        ImportError: On TensorFlow without tensorboard, which KerasTuner imports.

    Example:

    ```python
    log = sr.data.synthetic(num_users=100, num_items=30)
    vocabulary = sr.data.Vocabulary.from_items(log["item"])
    split = sr.data.split_random(sr.data.make_windows(log, vocabulary, length=20))
    hypermodel = sr.tuning.StackingHyperModel(
        sr.NextItNet,
        split,
        epochs=3,
        space=sr.tuning.SearchSpace(
            start_blocks=1, growths=sr.tuning.Choice(1, 2), width=16, batch_size=64
        ),
        dilations=sr.tuning.Choice((1,), (1, 4)),
    )
    tuner = keras_tuner.RandomSearch(
        hypermodel, hypermodel.objective, max_trials=2, directory="search"
    )
    tuner.search(verbose=0)
    frame = sr.tuning.trials(tuner)
    sr.plot.quality_vs_time(frame, "trials.png")
    model = tuner.get_best_models()[0]
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """

    def __init__(
        self,
        model_class: type[SequentialRecommender],
        data: Split,
        epochs: int,
        space: SearchSpace | None = None,
        monitor: str = "val_mrr@5",
        target: float | None = None,
        time_budget: float | None = None,
        share_by: str = "random",
        exclude_seen: bool | None = None,
        jit_compile: bool | str = "auto",
        seed: int = 0,
        name: str | None = None,
        **model_arguments,
    ) -> None:
        super().__init__(name)
        check_installed()
        check_integers(epochs=epochs)
        check_model_and_data(model_class, data)
        check_goal(monitor, target, time_budget)
        self.model_class = model_class
        self.data = data
        self.epochs = epochs
        self.space = _fitted(SearchSpace() if space is None else space, model_class)
        self.space.check_epochs(epochs)
        self.monitor = monitor
        self.target = target
        self.time_budget = time_budget
        data.train.batches(share_by=share_by)  # raises where it does not fit
        self.share_by = share_by
        self.exclude_seen = exclude_seen
        self.jit_compile = jit_compile
        self.seed = seed
        self.model_arguments = model_arguments
        self._check_model_arguments()

    @property
    def objective(self) -> keras_tuner.Objective:
        """`keras_tuner.Objective`, for the tuner."""
        if self.target is not None:
            return keras_tuner.Objective("seconds_to_quality", "min")
        direction = "min" if self.monitor.endswith("loss") else "max"
        return keras_tuner.Objective(self.monitor, direction)

    def build(self, hp: keras_tuner.HyperParameters) -> SequentialRecommender:
        """Returns the compiled model of a trial, before any growth."""
        drawn = self.space.draw(hp)
        arguments = {
            name: draw(hp, name, value) for name, value in self.model_arguments.items()
        }
        arguments.update(self._arguments_of_data(), num_blocks=drawn.start_blocks)
        if drawn.dropout is not None:
            arguments["dropout"] = drawn.dropout
        if drawn.width is not None:
            arguments.update(dict.fromkeys(_width_names(self.model_class), drawn.width))
        model = self.model_class(**arguments)
        self._check_growths(model)
        model.vocabulary = self.data.vocabulary
        model.compile(
            keras.optimizers.Adam(drawn.learning_rate),
            drawn.training_loss,
            exclude_seen=self.exclude_seen,
            jit_compile=self.jit_compile,
        )
        return model

    def fit(
        self,
        hp: keras_tuner.HyperParameters,
        model: SequentialRecommender,
        *args: Any,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        epochs: int | None = None,
        **kwargs,
    ) -> keras.callbacks.History:
        """Trains the model of a trial; it grows by the trial's schedule.

        Args:
            hp: `keras_tuner.HyperParameters` of the trial.
            model: What `build` returned for them.
            callbacks: List of callbacks.
            epochs: For `Hyperband` alone.
            **kwargs: Other arguments of `keras.Model.fit`, but for the data.

        Returns:
            A `keras.callbacks.History`. `total_seconds` in it is the same in each
            epoch, so that KerasTuner keeps it.
        """
        self._check_fit(hp, args, kwargs, callbacks, epochs)
        drawn = self.space.draw(hp)
        tuner = next((c.tuner for c in callbacks if hasattr(c, "tuner")), None)
        check_size(model, drawn, getattr(tuner, "max_model_size", None))
        clock = self._clock(hp, tuner)
        users = model.num_users is not None
        history = model.fit(
            self.data.train.batches(
                drawn.batch_size,
                seed=self.seed,
                with_users=users,
                share_by=self.share_by,
            ),
            validation_data=self.data.validation.batches(
                evaluation=True, with_users=users
            ),
            epochs=self.epochs if epochs is None else epochs,
            callbacks=[*self._growing(drawn), clock, *callbacks],
            **kwargs,
        )
        history.history["total_seconds"] = [clock.seconds] * len(history.epoch)
        return history

    def _growing(self, drawn):
        schedule = drawn.schedule(self.epochs)
        if schedule is None:
            return []
        return [
            StackingCallback(
                drawn.method,
                schedule,
                inherit=drawn.inherit,
                optimizer_state=drawn.optimizer_state,
                seed=self.seed,
            )
        ]

    def _clock(self, hp, tuner):
        seconds, reached = 0.0, None
        if tuner is not None and "tuner/trial_id" in hp.values:
            before = tuner.oracle.get_trial(hp.values["tuner/trial_id"]).metrics
            seconds = before.get_best_value("total_seconds")
            if self.target is not None:
                reached = before.get_best_value("seconds_to_quality")
                # More than that is what was not reached.
                reached = reached if reached < 2 * self.time_budget else None
        return TrialClock(self.monitor, self.target, self.time_budget, seconds, reached)

    def _arguments_of_data(self):
        known = {
            "num_items": self.data.num_items,
            "num_users": self.data.num_users,
            "max_length": self.data.train.length - 1,
        }
        taken = _argument_names(self.model_class)
        return {name: value for name, value in known.items() if name in taken}

    def _check_growths(self, model):
        for method, depths in self.space.growth_paths():
            Growth(method).check(model, depths)

    def _check_model_arguments(self):
        taken = _argument_names(self.model_class)
        ours = {
            **dict.fromkeys(self._arguments_of_data(), "comes from data"),
            "num_blocks": "is start_blocks of SearchSpace",
            "dropout": "belongs into SearchSpace",
            **dict.fromkeys(_width_names(self.model_class), "is width of SearchSpace"),
        }
        for name in self.model_arguments:
            if name in ours:
                raise ValueError(f"{name} {ours[name]}. Leave it out here.")
            if name not in taken:
                raise ValueError(
                    f"{name} is no argument of {self.model_class.__name__}, which "
                    f"takes {', '.join(sorted(set(taken) - set(ours)))}."
                )

    def _check_fit(self, hp, args, kwargs, callbacks, epochs):
        # Fatal, as each trial would fail in the same way.
        theirs = [
            name
            for name in ("x", "y", "validation_data", "validation_split", "batch_size")
            if name in kwargs
        ]
        if args or theirs:
            raise keras_tuner.errors.FatalValueError(
                "The data are those of StackingHyperModel, and the batch size is in "
                f"its SearchSpace: search() takes no {' or '.join(theirs) or 'x'}."
            )
        if any(isinstance(c, StackingCallback) for c in callbacks):
            raise keras_tuner.errors.FatalValueError(
                "search() takes no StackingCallback: growing is what is searched. Fix "
                "what you know in SearchSpace."
            )
        of_hyperband = "tuner/epochs" in hp.values
        if epochs is not None and (not of_hyperband or epochs > self.epochs):
            name = "max_epochs" if of_hyperband else "epochs"
            raise keras_tuner.errors.FatalValueError(
                f"{name}={epochs} does not fit StackingHyperModel(epochs="
                f"{self.epochs}), of which the schedules are shares. Give that the "
                "epochs" + (", and the tuner as many." if of_hyperband else ".")
            )


def _fitted(space, model_class):
    """The space without what the model does not have."""
    for name, exists in (
        ("width", bool(_width_names(model_class))),
        ("dropout", "dropout" in _argument_names(model_class)),
    ):
        value = getattr(space, name)
        if exists or value is None:
            continue
        if value != getattr(SearchSpace, name):
            raise ValueError(
                f"{model_class.__name__} has no {name}. Leave {name}={value!r} out of "
                "SearchSpace."
            )
        space = replace(space, **{name: None})
    return space


def _width_names(model_class):
    taken = _argument_names(model_class)
    return next((names for names in _WIDTHS if set(names) <= set(taken)), ())


def _argument_names(model_class):
    """What the constructor takes, by itself or handed on to a model below it."""
    names = {}
    for cls in model_class.__mro__:
        if cls is SequentialRecommender:
            break
        if "__init__" in vars(cls):
            _, *parameters = inspect.signature(cls.__init__).parameters.values()
            names.update({p.name: p.kind for p in parameters})
            if inspect.Parameter.VAR_KEYWORD not in names.values():
                break
    return [name for name, kind in names.items() if kind != kind.VAR_KEYWORD]
