import functools

import keras_tuner


class GridSearch(keras_tuner.GridSearch):
    """`keras_tuner.GridSearch`, and a search that was cut off can go on.

    KerasTuner's own (1.4.8) does not store which combinations come next, and stops
    with a KeyError where it is made anew with `overwrite=False`.

    Args:
        *args: As for `keras_tuner.GridSearch`.
        **kwargs: As for `keras_tuner.GridSearch`.
    """

    def reload(self) -> None:
        super().reload()
        oracle = self.oracle

        def compare(a, b):
            return oracle._compare(a.hyperparameters.values, b.hyperparameters.values)

        in_order = sorted(oracle.trials.values(), key=functools.cmp_to_key(compare))
        for trial in in_order:
            oracle._ordered_ids.insert(trial.trial_id)
        # Each is asked for the combination after its own; most were tried.
        oracle._populate_next = [trial.trial_id for trial in in_order]
