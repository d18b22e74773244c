import keras_tuner
import pandas as pd


def trials(tuner: keras_tuner.Tuner) -> pd.DataFrame:
    """Returns a frame of all trials of a search, a row each, in their order.

    Args:
        tuner: A KerasTuner tuner, of any kind; of several that work together, the
            chief.

    Returns:
        A frame. `trial` is KerasTuner's id, `score` the objective. All figures are
        those of the trial's best epoch: `num_blocks` its depth, `training_seconds`
        the time up to it, the metrics; but `total_seconds` is what the whole trial
        took. The hyper-parameters come next, and what went wrong last (`error`).

    Raises:
        ValueError: If the tuner is a worker.

    Example:

    ```python
    frame = sr.tuning.trials(tuner).sort_values("score", ascending=False)
    ```
    """
    oracle = tuner.oracle
    if not hasattr(oracle, "trials"):
        raise ValueError(
            "This tuner is a worker and knows its own trials alone. Ask the chief."
        )
    rows = [_row(oracle.trials[trial_id]) for trial_id in oracle.start_order]
    first = ["trial", "status", "score", "num_blocks", *_SECONDS]
    known = dict.fromkeys(first + [name for row in rows for name in row])
    names = [name for name in known if name != "error"] + ["error"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.astype({"num_blocks": "Int64"})


_SECONDS = ("training_seconds", "total_seconds")


def _row(trial):
    tracked = trial.metrics.metrics
    values = {name: history.get_best_value() for name, history in tracked.items()}
    # That of one epoch says nothing.
    values.pop("growth_seconds", None)
    error = (trial.message or "").strip().splitlines()[-1:]
    return {
        "trial": trial.trial_id,
        "status": trial.status,
        "score": trial.score,
        **values,
        **trial.hyperparameters.values,
        "error": error[0] if error else None,
    }
