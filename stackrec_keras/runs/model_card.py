"""The model card of a published run."""

from stackrec_keras.evaluation import model_title
from stackrec_keras.evaluation.table import column_title
from stackrec_keras.runs.training_command import training_command

_CARD = """\
---
{front_matter}
---

# {name}

{title}: a recommender of the next item, with {parameters:,} parameters and
{items:,} items, trained with `stackrec_keras`.

```bash
pip install "stackrec-keras[hub]"
```

```python
import stackrec_keras as sr

model = sr.load_preset("hf://USER/{name}")
items, scores = model.recommend({request}, k=10)
```

The model knows the raw item ids. It is compiled, so it can be evaluated, grown
(`model.grow`) and trained further (`model.fit`).

## Results

{table}

Each held-out row has one item to find. All {items:,} items are ranked, and higher is
better. `popularity` ranks the items by their count in the training rows.

## Training

```bash
{command}
```

{facts}
"""


def model_card(name, model, config, facts, table, grown, license=None):
    """Returns the text of a model card, with the hub's metadata at its top.

    Args:
        name: String, the name of the model.
        model: The trained model.
        config: `TrainConfig` of the run.
        facts: Dict with the `split`, `environment` and `metrics` of the run folder.
        table: String, the results as a Markdown table.
        grown: Boolean, whether `stackrec grow` made the run.
        license: String, the license of the weights. Defaults to `None`.

    Returns:
        String.
    """
    return _CARD.format(
        front_matter=_front_matter(name, model, config, facts, license),
        name=name,
        title=model_title(model),
        parameters=model.count_params(),
        items=model.num_targets,
        request=_request(model),
        table=table.strip(),
        command=training_command(config, f"runs/{name}", grown),
        facts=_facts(config, facts),
    )


def _front_matter(name, model, config, facts, license):
    hub = _hub()
    of_model = facts["metrics"]["results"][model_title(model)]
    results = [
        hub.EvalResult(
            task_type="recommendation",
            task_name="Next-item recommendation",
            dataset_type=config.data,
            dataset_name=config.data,
            dataset_split=f"test ({config.split})",
            dataset_revision=facts["split"]["hash"],
            metric_type=metric,
            metric_name=column_title(metric),
            metric_value=round(value, 6),
        )
        for metric, value in of_model.items()
    ]
    tags = ["stackrec-keras", "recommendation", "sequential-recommendation"]
    data = hub.ModelCardData(
        library_name="keras",
        license=license,
        tags=[*tags, type(model).__name__.lower()],
        model_name=name,
        eval_results=results,
    )
    return data.to_yaml()


def _hub():
    try:
        import huggingface_hub
    except ImportError:
        raise ImportError(
            'a model card needs one more package: pip install "stackrec-keras[hub]"'
        ) from None
    return huggingface_hub


def _request(model):
    """Returns the code of what `recommend` takes, with one short history."""
    items = model.vocabulary.ids[:2].tolist()
    if "timestamps" not in model.features:
        return f"[{items!r}]"
    times = [1_600_000_000, 1_600_003_600]
    return f'{{"items": [{items!r}], "timestamps": [{times[: len(items)]}]}}'


def _facts(config, facts):
    split, environment = facts["split"], facts["environment"]
    rows = ", ".join(f"{n:,} {part}" for part, n in split["rows"].items())
    seen = "left out of" if config.exclude_seen else "part of"
    versions = [
        f"{name.replace('_', '-')} {environment[name]}"
        for name in ("stackrec_keras", "keras", "python")
    ]
    backend = f"{environment['backend']} {environment['backend_version']}"
    return "\n".join(
        [
            f"- Data: `{config.data}`",
            f"- Split: {config.split}, hash `{split['hash']}`",
            f"- Rows: {rows}, {split['length']} items each",
            f"- Protocol: the items of a row's history are {seen} its ranking",
            f"- Training: {facts['metrics']['training_seconds']:,} s",
            f"- Backend: {backend}",
            f"- Versions: {', '.join(versions)}",
            f"- Date: {environment['date']}",
        ]
    )
