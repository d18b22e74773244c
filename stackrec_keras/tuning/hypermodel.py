from collections.abc import Sequence
from typing import Any

import keras
import keras_tuner

from stackrec_keras import monitors
from stackrec_keras.arguments import check_integers
from stackrec_keras.data import Split
from stackrec_keras.models.sequential_recommender import SequentialRecommender
from stackrec_keras.stacking import Growth, StackingCallback
from stackrec_keras.tuning.checks import (
    SearchArgumentError,
    check_goal,
    check_installed,
    check_model_and_data,
    check_size,
    check_tuner_arguments,
)
from stackrec_keras.tuning.model_arguments import (
    check_model_arguments,
    fit_space,
    set_by_data,
    set_by_space,
)
from stackrec_keras.tuning.search_space import SearchSpace
from stackrec_keras.tuning.trial_clock import TrialClock
from stackrec_keras.tuning.values import draw


class StackingHyperModel(keras_tuner.HyperModel):
    """A KerasTuner hypermodel that searches for a growth schedule.

    Pass it to any tuner, and call `search` without data, which the hypermodel already
    has. Each trial is one fit that grows by its own schedule. `get_best_models()`
    returns the grown model of the best epoch. Evaluating it on
    `data.validation.batches(evaluation=True)` gives the score of its trial.

    Pass its `objective` to the tuner as well. It is one of these:

    - the quality (`monitor`) after at most `epochs` epochs
    - with `time_budget`, the quality within that many seconds
    - with `time_budget` and `target`, the seconds until `monitor` reaches the target
      (`seconds_to_quality` in the logs). A trial that misses the target counts as
      twice the budget or more, depending on how far it is from the target

    Args:
        model_class: A class of models, such as `sr.NextItNet`.
        data: `sr.data.Split`. Models are trained on `train` and compared on
            `validation`. `test` is not used.
        epochs: Integer, the number of epochs of a trial. The stages of a schedule are
            fractions of this number. With `Hyperband`, set its `max_epochs` to this
            number too; it trains most trials for fewer epochs.
        space: `SearchSpace`. Defaults to `None`, which stands for `SearchSpace()`.
        monitor: String, a key of the validation logs. Higher is better, except for
            `"val_loss"`. Defaults to `"val_mrr@5"`.
        target: Float, the value of `monitor` to reach. Defaults to `None`.
        time_budget: Float, the seconds after which a trial ends, even in the middle of
            an epoch. Defaults to `None`.
        share_by: String, how to choose the rows of a `first_data_share`: `"random"` or
            `"time"`, as in `windows.batches`. Defaults to `"random"`.
        exclude_seen: As in `SequentialRecommender.compile`. Defaults to `None`.
        jit_compile: As in `keras.Model.compile`. Defaults to `"auto"`.
        seed: Integer, the seed of the row order and of new random blocks. Initial
            weights depend on Keras's own seed (`keras.utils.set_random_seed`). Defaults
            to `0`.
        name: String. Defaults to `None`.
        **model_arguments: Other arguments of `model_class`, each a fixed value, a
            `Choice` or a `Range`.

    Raises:
        ArgumentError: If an argument does not fit the model or the data.
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
        self.space = fit_space(SearchSpace() if space is None else space, model_class)
        self.space.check_epochs(epochs)
        self.monitor = monitor
        self.target = target
        self.time_budget = time_budget
        data.train.batches(share_by=share_by)  # raises if `share_by` is invalid
        self.share_by = share_by
        self.exclude_seen = exclude_seen
        self.jit_compile = jit_compile
        self.seed = seed
        self.model_arguments = model_arguments
        check_model_arguments(model_class, data, model_arguments)

    @property
    def objective(self) -> keras_tuner.Objective:
        """`keras_tuner.Objective`, the objective for the tuner."""
        if self.target is not None:
            return keras_tuner.Objective("seconds_to_quality", "min")
        direction = "min" if monitors.sign(self.monitor) < 0 else "max"
        return keras_tuner.Objective(self.monitor, direction)

    def build(self, hp: keras_tuner.HyperParameters) -> SequentialRecommender:
        """Returns the compiled model of a trial, before it grows.

        Args:
            hp: `keras_tuner.HyperParameters` of the trial. `build` adds missing ones.
        """
        drawn = self.space.draw(hp)
        arguments = {
            name: draw(hp, name, value) for name, value in self.model_arguments.items()
        }
        arguments.update(set_by_data(self.model_class, self.data))
        arguments.update(set_by_space(self.model_class, drawn))
        model = self.model_class(**arguments)
        self._check_growth_paths(model)
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
        """Trains the model of a trial, which grows by the trial's schedule.

        Args:
            hp: `keras_tuner.HyperParameters` of the trial.
            model: What `build` returned for `hp`.
            callbacks: List of callbacks. Defaults to `()`.
            epochs: Integer, given by `Hyperband`. Defaults to `None`, those of the
                hypermodel.
            **kwargs: Other arguments of `keras.Model.fit`, except the data.

        Returns:
            A `keras.callbacks.History`. Its `total_seconds` has the same value in each
            epoch, because KerasTuner keeps only the values of the best epoch.
        """
        if args:
            reason = "is set by the data of StackingHyperModel"
            raise SearchArgumentError("x", reason, "Leave it out.")
        of_hyperband = "tuner/epochs" in hp.values
        check_tuner_arguments(kwargs, callbacks, epochs, self.epochs, of_hyperband)
        drawn = self.space.draw(hp)
        tuner = next((c.tuner for c in callbacks if hasattr(c, "tuner")), None)
        check_size(model, drawn, getattr(tuner, "max_model_size", None))
        clock = self._clock(hp, tuner)
        history = model.fit(
            self.data.train.batches(
                drawn.batch_size,
                seed=self.seed,
                features=model.features,
                share_by=self.share_by,
            ),
            validation_data=self.data.validation.batches(
                evaluation=True, features=model.features
            ),
            epochs=self.epochs if epochs is None else epochs,
            callbacks=[*self._growth_callbacks(drawn), clock, *callbacks],
            **kwargs,
        )
        history.history["total_seconds"] = [clock.seconds] * len(history.epoch)
        return history

    def _growth_callbacks(self, drawn):
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
                # A value of `2 * time_budget` or more means that no epoch reached the
                # target.
                reached = reached if reached < 2 * self.time_budget else None
        return TrialClock(self.monitor, self.target, self.time_budget, seconds, reached)

    def _check_growth_paths(self, model):
        for method, depths in self.space.growth_paths():
            Growth(method).check(model, depths)
