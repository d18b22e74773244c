"""The final table: a model and the popularity baseline on held-out rows."""

import numpy as np

from stackrec_keras import metrics

TITLES = {
    "mrr@5": "MRR@5",
    "hit_rate@5": "HR@5",
    "ndcg@5": "NDCG@5",
    "mrr@10": "MRR@10",
    "hit_rate@10": "HR@10",
    "ndcg@10": "NDCG@10",
}
_POPULARITY_BATCH = 256


def final_results(model, windows, batch_size, verbose=0):
    """Evaluates a model and the popularity baseline on the same rows.

    Args:
        model: A trained model whose vocabulary counts the training items.
        windows: `Windows`, the rows held out.
        batch_size: Integer, rows the model scores at a time.
        verbose: As in `keras.Model.evaluate`.

    Returns:
        Dict from the name of each of the two to a dict from metric to value.
    """
    batches = windows.batches(
        batch_size, evaluation=True, with_users=model.num_users is not None
    )
    of_model = model.evaluate(batches, verbose=verbose, return_dict=True)
    return {
        model_title(model): {name: of_model[name] for name in TITLES},
        "popularity": popularity_results(model.vocabulary.counts, windows),
    }


def popularity_results(counts, windows):
    """Ranks all items by how often they occur in training, for every row alike.

    Args:
        counts: `(num_items,)` integers.
        windows: `Windows`.

    Returns:
        Dict from metric to value.
    """
    scores = np.concatenate([[-np.inf], counts]).astype("float32")
    _, targets = windows.evaluation_arrays()
    found = metrics.default_metrics()
    for start in range(0, len(targets), _POPULARITY_BATCH):
        part = targets[start : start + _POPULARITY_BATCH]
        all_scores = np.broadcast_to(scores, (len(part), len(scores)))
        for metric in found:
            metric.update_state(part, all_scores)
    return {metric.name: float(metric.result()) for metric in found}


def training_counts(windows):
    """Returns how often each item occurs in training rows, `(num_items,)`."""
    counts = np.bincount(windows.items.ravel(), minlength=windows.num_items + 1)
    return counts[1:]


def model_title(model):
    """Returns `"NextItNet, 16 blocks"`."""
    plural = "" if model.num_blocks == 1 else "s"
    return f"{type(model).__name__}, {model.num_blocks} block{plural}"


def table(results, notes):
    """The results as a Markdown table that can be read as it is.

    Args:
        results: Dict, as `final_results` returns it.
        notes: List of strings for the line below the table.

    Returns:
        String.
    """
    rows = [["", *TITLES.values()]]
    for name, values in results.items():
        rows.append([name, *(f"{values[metric]:.4f}" for metric in TITLES)])
    width = max(len(row[0]) for row in rows)
    lines = [_line(row, width) for row in rows]
    rule = "|-" + "-" * width + "-|" + "--------:|" * len(TITLES)
    return "\n".join([lines[0], rule, *lines[1:], "", " · ".join(notes)])


def _line(row, width):
    return f"| {row[0]:<{width}} | " + " | ".join(f"{c:>7}" for c in row[1:]) + " |"
