"""The final table: a model and the popularity baseline on held-out rows."""

from collections.abc import Sequence

from stackrec_keras.data import Windows
from stackrec_keras.errors import ArgumentError
from stackrec_keras.evaluation.markdown import markdown_table
from stackrec_keras.evaluation.popularity import popularity_results
from stackrec_keras.metrics import default_metrics
from stackrec_keras.models import SequentialRecommender
from stackrec_keras.models.seen_in_evaluation import seen_in_rows
from stackrec_keras.wording import agreeing, counted

_SHORT = {"mrr": "MRR", "hit_rate": "HR", "ndcg": "NDCG"}


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
        model: A trained model whose vocabulary has counts of the training items.
        windows: `Windows`, the held-out rows.
        batch_size: Integer, the number of rows that the model scores at a time.
        verbose: As in `keras.Model.evaluate`. Defaults to `0`.
        before: The model that `model` was grown from. Defaults to `None`.
        exclude_seen: As in `SequentialRecommender.evaluate`, for the models and the
            baseline. Defaults to `None`: as the model was compiled.

    Returns:
        Dict of dicts from metric to value. The keys are the models' titles and
        `"popularity"`.

    Raises:
        ArgumentError: If the model's vocabulary has no counts of the training items.
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
        results[title] = {name: found[name] for name in _metrics_in(found)}
    excludes = exclude_seen and model.scores_what_it_reads
    results["popularity"] = popularity_results(
        counts, windows, _fresh_metrics(model, results[title]), exclude_seen=excludes
    )
    return results


def _fresh_metrics(model, names):
    """Returns new copies of the model's metrics that have the given names."""
    named = {metric.name: metric for metric in model.metrics}
    return [type(named[n]).from_config(named[n].get_config()) for n in names]


def _metrics_in(found):
    """Returns the names of the metrics of an evaluation, the default ones first."""
    first = [metric.name for metric in default_metrics()]
    others = sorted(set(found) - {"loss", *first})
    return [name for name in first if name in found] + others


def _counts(model):
    """Returns the training count of each item that a model scores."""
    counts = getattr(model.target_vocabulary, "counts", None)
    if counts is None:
        raise ArgumentError(
            "model",
            "has a vocabulary without counts of the training items, so their "
            "popularity is unknown",
            "Set model.vocabulary = sr.data.Vocabulary(ids, "
            "sr.evaluation.training_counts(split.train)).",
        )
    return counts


def seen_notes(
    model: SequentialRecommender, windows: Windows, exclude_seen: bool
) -> list[str]:
    """Returns the notes to print below a table. They say that items of the history were
    left out, or how many targets `stackrec recommend` would leave out because they are
    in the history. A model that recommends from another catalogue has no such notes.
    """
    if exclude_seen:
        return ["items of the history left out"]
    if not model.scores_what_it_reads:
        return []
    number = seen_in_rows(model, windows.parts())
    if not number:
        return ["no target is in its own history"]
    return [
        f"{counted(number, 'target')} "
        f"{agreeing(number, 'is in its', 'are in their')} own history, and recommend "
        "leaves such items out (exclude_seen)"
    ]


def model_title(model: SequentialRecommender) -> str:
    """Returns a model's title, such as `"NextItNet, 16 blocks"`."""
    return f"{type(model).__name__}, {counted(model.num_blocks, 'block')}"


def table(results: dict[str, dict[str, float]], notes: Sequence[str]) -> str:
    """Returns results as a Markdown table that is readable as plain text.

    Args:
        results: Dict, as `final_results` returns it.
        notes: List of strings for the line below the table.

    Returns:
        String.
    """
    names = list(next(iter(results.values())))
    rows = [["", *map(column_title, names)]]
    for model, values in results.items():
        rows.append([model, *(f"{values[name]:.4f}" for name in names)])
    return f"{markdown_table(rows)}\n\n{' · '.join(notes)}"


def column_title(metric: str) -> str:
    """Returns a metric's short name, such as `"HR@5"`, or its name if it has none."""
    name, at, k = metric.partition("@")
    sampled = "sampled " if name.startswith("sampled_") else ""
    name = name.removeprefix("sampled_")
    return f"{sampled}{_SHORT.get(name, name)}{at}{k}"
