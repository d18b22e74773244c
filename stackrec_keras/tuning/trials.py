import keras_tuner
import pandas as pd

from stackrec_keras.errors import ArgumentError


def trials(tuner: keras_tuner.Tuner) -> pd.DataFrame:
    """Returns a frame with a row for each trial of a search, in order.

    Args:
        tuner: Any KerasTuner tuner. If several tuners work together, give the chief.

    Returns:
        A frame. `trial` is KerasTuner's id, `score` is the objective. The metrics,
        `num_blocks` and `training_seconds` are those of the trial's best epoch;
        `total_seconds` is the time of the whole trial. Then come the hyperparameters,
        and last `error`, what went wrong.

    Raises:
        ArgumentError: If the tuner is a worker.

    Example:

    ```python
    frame = sr.tuning.trials(tuner).sort_values("score", ascending=False)
    ```
    """
    oracle = tuner.oracle
    if not hasattr(oracle, "trials"):
        reason = "is a worker, which knows only its own trials"
        raise ArgumentError("tuner", reason, "Give the chief.", tuner)
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
    # The best value of growth_seconds over the epochs is meaningless.
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
