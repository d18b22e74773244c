"""What is printed at the end of training: which epoch's weights are kept, and why."""

from stackrec_keras.runs.config import MONITOR
from stackrec_keras.wording import counted


def ending(config, rows, growths):
    """Returns a note on what may surprise users about the final model of a run.

    Args:
        config: `TrainConfig` of the run.
        rows: List of dicts, the run's history.
        growths: Dict from epoch to number of blocks, the schedule.

    Returns:
        String, a line, or `None` if there is nothing to say.
    """
    if MONITOR not in rows[-1]:
        return None
    if config.patience is not None:
        return _of_best(config, rows, growths)
    if config.schedule == "plateau":  # the schedule reports the best epoch itself
        return None
    return _of_last(config, rows)


def _of_best(config, rows, growths):
    best, last = _best(rows, config.best_of == "deepest"), rows[-1]
    cut_short = last["epoch"] + 1 < config.epochs
    shallow = best["num_blocks"] < last["num_blocks"]
    if not cut_short and not shallow:
        return None
    stop = f"Stopped after epoch {last['epoch']}: " if cut_short else ""
    parts = [
        f"{stop}{MONITOR} was best in epoch {best['epoch']}, with {_blocks(best)}, and "
        "the weights of that epoch are kept"
    ]
    missed = {e: n for e, n in growths.items() if last["epoch"] < e < config.epochs}
    if missed:
        steps = " and ".join(f"to {n} blocks at epoch {e}" for e, n in missed.items())
        impatient = last["epoch"] - best["epoch"] >= config.patience
        limit = "patience" if impatient else "max_seconds"
        parts.append(f"the model did not grow {steps} (increase {limit})")
    if shallow:
        parts.append(
            f"to keep the best epoch with {_blocks(last)}, use best_of='deepest' "
            "(--best-of deepest)"
        )
    return "; ".join(parts) + ". Epochs count from 0."


def _of_last(config, rows):
    best, last = _best(rows), rows[-1]
    ours, theirs = f"{last[MONITOR]:.4f}", f"{best[MONITOR]:.4f}"
    if ours == theirs:
        return None
    depth = "" if best["num_blocks"] == last["num_blocks"] else f" at {_blocks(best)}"
    return (
        f"{MONITOR} was best in epoch {best['epoch']}{depth} ({theirs}; epochs count "
        f"from 0), but the model is that of the last epoch ({ours}). With patience="
        f"{config.epochs} (--patience {config.epochs}), the run would keep the best "
        "epoch's weights."
    )


def _best(rows, deepest=False):
    """Returns the row of the epoch that `BestEpoch` keeps."""
    if deepest:
        rows = [row for row in rows if row["num_blocks"] == rows[-1]["num_blocks"]]
    return max(rows, key=lambda row: row[MONITOR])


def _blocks(row):
    return counted(row["num_blocks"], "block")
