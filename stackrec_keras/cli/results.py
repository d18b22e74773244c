"""The final table: a model and the popularity baseline on held-out rows."""

import numpy as np

from stackrec_keras import metrics
from stackrec_keras.models.seen import num_seen

TITLES = {
    "mrr@5": "MRR@5",
    "hit_rate@5": "HR@5",
    "ndcg@5": "NDCG@5",
    "mrr@10": "MRR@10",
    "hit_rate@10": "HR@10",
    "ndcg@10": "NDCG@10",
    "sampled_mrr@5": "sampled MRR@5",
    "sampled_hit_rate@5": "sampled HR@5",
}
_POPULARITY_BATCH = 256


def final_results(
    model, windows, batch_size, verbose=0, before=None, exclude_seen=None
):
    """Evaluates a model and the popularity baseline on the same rows.

    Args:
        model: A trained model whose vocabulary counts the training items.
        windows: `Windows`, the rows held out.
        batch_size: Integer, rows the model scores at a time.
        verbose: As in `keras.Model.evaluate`.
        before: The model that it was grown from, or `None`.
        exclude_seen: As in `SequentialRecommender.evaluate`, for all of them.

    Returns:
        Dict from the name of each of them to a dict from metric to value.
    """
    batches = windows.batches(
        batch_size, evaluation=True, with_users=model.num_users is not None
    )
    if exclude_seen is None:
        exclude_seen = bool(model.exclude_seen)
    models = {model_title(model): model}
    if before is not None:
        models = {f"before: {model_title(before)}": before, **models}
    results = {}
    for title, one in models.items():
        found = one.evaluate(
            batches, verbose=verbose, return_dict=True, exclude_seen=exclude_seen
        )
        names = [name for name in TITLES if name in found]
        results[title] = {name: found[name] for name in names}
    excludes = exclude_seen and model.scores_what_it_reads
    results["popularity"] = popularity_results(
        _counts(model), windows, names, exclude_seen=excludes
    )
    return results


def popularity_results(counts, windows, names="auto", exclude_seen=False):
    """Ranks all items by how often they occur in training, for every row alike.

    Args:
        counts: `(num_items,)` integers.
        windows: `Windows`.
        names: List of names of metrics, or `"auto"`.
        exclude_seen: Boolean, whether to leave out the items of each history.

    Returns:
        Dict from metric to value.
    """
    scores = np.concatenate([[-np.inf], counts]).astype("float32")
    histories, targets = windows.evaluation_arrays()
    found = metrics.get(names)
    for start in range(0, len(targets), _POPULARITY_BATCH):
        part = targets[start : start + _POPULARITY_BATCH]
        all_scores = np.tile(scores, (len(part), 1))
        if exclude_seen:
            seen = histories[start : start + _POPULARITY_BATCH]
            np.put_along_axis(all_scores, seen, -np.inf, axis=1)
        for metric in found:
            metric.update_state(part, all_scores)
    return {metric.name: float(metric.result()) for metric in found}


def seen_notes(model, windows, exclude_seen):
    """Returns the notes below a table on the items of the histories: that they were
    left out, or how many of the targets `stackrec recommend` would leave out."""
    if exclude_seen:
        return ["items of the history left out"]
    number = num_seen(model, *windows.evaluation_arrays())
    if not number:
        return []
    return [
        f"{number:,} targets are in their history, which recommend leaves out "
        "(see --exclude-seen)"
    ]


def _counts(model):
    """How often the items that a model scores occur in training, `(num_items,)`."""
    return model.target_vocabulary.counts


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
    names = list(next(iter(results.values())))
    rows = [["", *(TITLES[name] for name in names)]]
    for net, values in results.items():
        rows.append([net, *(f"{values[name]:.4f}" for name in names)])
    widths = [max(7, *map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    rule = "|-" + "-" * widths[0] + "-|"
    rule += "".join("-" * (width + 1) + ":|" for width in widths[1:])
    return "\n".join([lines[0], rule, *lines[1:], "", " · ".join(notes)])


def _line(row, widths):
    cells = [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
    return "| " + " | ".join([row[0].ljust(widths[0]), *cells]) + " |"
