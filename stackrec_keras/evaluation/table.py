"""The final table: a model and the popularity baseline on held-out rows."""

from collections.abc import Sequence

from stackrec_keras.data import Windows
from stackrec_keras.evaluation.popularity import popularity_results
from stackrec_keras.models import SequentialRecommender
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


def final_results(
    model: SequentialRecommender,
    windows: Windows,
    batch_size: int,
    verbose: int | str = 0,
    before: SequentialRecommender | None = None,
    exclude_seen: bool | None = None,
) -> dict[str, dict[str, float]]:
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

    Raises:
        ValueError: If the model's vocabulary does not count the training items.
    """
    counts = _counts(model)
    batches = windows.batches(batch_size, evaluation=True, features=model.features)
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
        assert isinstance(found, dict)
        names = [name for name in TITLES if name in found]
        results[title] = {name: found[name] for name in names}
    excludes = exclude_seen and model.scores_what_it_reads
    results["popularity"] = popularity_results(
        counts, windows, names, exclude_seen=excludes
    )
    return results


def _counts(model):
    """How often the items that a model scores occur in training, `(num_items,)`."""
    counts = getattr(model.target_vocabulary, "counts", None)
    if counts is None:
        raise ValueError(
            "model.vocabulary does not count the training items, so popularity cannot "
            "be ranked. Set model.vocabulary = sr.data.Vocabulary(ids, "
            "sr.evaluation.training_counts(split.train))."
        )
    return counts


def seen_notes(
    model: SequentialRecommender, windows: Windows, exclude_seen: bool
) -> list[str]:
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


def model_title(model: SequentialRecommender) -> str:
    """Returns `"NextItNet, 16 blocks"`."""
    plural = "" if model.num_blocks == 1 else "s"
    return f"{type(model).__name__}, {model.num_blocks} block{plural}"


def table(results: dict[str, dict[str, float]], notes: Sequence[str]) -> str:
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
