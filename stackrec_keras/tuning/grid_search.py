import functools

import keras_tuner


class GridSearch(keras_tuner.GridSearch):
    """`keras_tuner.GridSearch` that can continue an interrupted search.

    KerasTuner's own class (1.4.8) does not store which combinations come next, and
    raises a KeyError when a search is reopened with `overwrite=False`.

    Args:
        *args: As for `keras_tuner.GridSearch`.
        **kwargs: As for `keras_tuner.GridSearch`.

    Example:

    ```python
    tuner = sr.tuning.GridSearch(
        hypermodel, hypermodel.objective, directory="search", overwrite=False
    )
    ```
    """

    def reload(self) -> None:
        super().reload()
        oracle = self.oracle

        def compare(a, b):
            return oracle._compare(a.hyperparameters.values, b.hyperparameters.values)

        in_order = sorted(oracle.trials.values(), key=functools.cmp_to_key(compare))
        for trial in in_order:
            oracle._ordered_ids.insert(trial.trial_id)
        # For each trial in this list, KerasTuner tries the next combination of the
        # grid, unless it has already been tried.
        oracle._populate_next = [trial.trial_id for trial in in_order]
