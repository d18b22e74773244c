"""Adds items, target items and users to a model, in place."""

import random

import numpy as np
from keras import ops

from stackrec_keras.arguments import check_choice, check_integers
from stackrec_keras.data import Vocabulary
from stackrec_keras.data.raw_ids import convert_like
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers.item_embedding import item_variables
from stackrec_keras.layers.split_rows import used_shape
from stackrec_keras.models.item_features import read_new_features
from stackrec_keras.stacking.growth import set_slices
from stackrec_keras.stacking.in_place import changing_shapes
from stackrec_keras.stacking.optimizer_state import check_optimizers
from stackrec_keras.wording import counted

INITS = ("mean", "random")


def extend_items(model, n, init, ids, features=None, trained=None):
    """See `SequentialRecommender.extend_items`.

    Args:
        model: A `SequentialRecommender`.
        n: Integer or `None`, the number of new items.
        init: String, how the new weights are initialized. `None` means `"mean"`, except
            that the vectors of new ids are 0 in a model with features.
        ids: List of their raw ids, or `None`.
        features: Their features, or `None`.
        trained: The model whose optimizer trains the weights. Defaults to `None`,
            which means `model`.
    """
    trained = trained or model
    n = _count_new(n, ids)
    vocabulary = _extend_vocabulary(model.vocabulary, n, ids)
    rows = read_new_features(model, features, n, ids)
    if trained is model:
        _check_loss(model, n)
    embedding, output = model.item_embedding, model.output_table
    # Row 0, the padding, must not affect the mean.
    tables = catalogues(model)["items"]
    given = {}
    if rows is not None:
        given = {id(embedding.item_features): rows}
        if init is None:  # as if `id_dropout` had dropped the new ids
            vectors = [table for table in tables if len(table.shape) == 2]
            given = {**{id(v): np.zeros((n, v.shape[1])) for v in vectors}, **given}
    _extend(trained, tables, n, "mean" if init is None else init, 1, given)
    model.num_items += n
    embedding.input_dim = output.num_items + 1 + n
    output.num_items += n
    model.vocabulary = vocabulary


def extend_targets(model, n, init, ids):
    """See `TransferRecommender.extend_targets`."""
    n = _count_new(n, ids)
    vocabulary = _extend_vocabulary(model.target_vocabulary, n, ids)
    _check_loss(model, n)
    output = model.output_table
    _extend(model, catalogues(model)["targets"], n, init, 1)
    output.num_items += n
    model.target_vocabulary = vocabulary


def extend_users(model, n, init):
    """See `SSEPT.extend_users`."""
    _extend(model, catalogues(model)["users"], n, init, 0)
    model.num_users += n
    model.user_embedding.input_dim = model.num_users


def catalogues(model):
    """Returns a dict of the variables that have a row for each item, target or user.
    Its keys are `"items"`, `"targets"` and `"users"`, if the model has them."""
    output = model.output_table.item_variables  # none if tied
    if hasattr(model, "source"):
        return {**catalogues(model.source), "targets": output}
    tables = {}
    if hasattr(model, "item_embedding"):
        tables["items"] = [*item_variables(model.item_embedding), *output]
    if hasattr(model, "user_embedding"):
        tables["users"] = [model.user_embedding.embeddings]
    return tables


def complete_weights(model, weights):
    """Appends the model's newer rows to weights that were stored before an extension.

    Args:
        model: A `SequentialRecommender`.
        weights: List of arrays, as from `get_weights`.

    Returns:
        The completed list, and a dict of the number of rows added, by catalogue.
    """
    if len(weights) != len(model.weights):
        return weights, {}
    given = {id(v): np.asarray(w) for v, w in zip(model.weights, weights)}
    missing = {}
    for name, tables in catalogues(model).items():
        numbers = {_count_missing(table, given[id(table)]) for table in tables}
        if len(numbers) > 1 or max(numbers) < 1:
            continue
        missing[name] = max(numbers)
        for table in tables:
            rows = given[id(table)]
            own = ops.convert_to_numpy(table)[len(rows) :]
            given[id(table)] = np.concatenate([rows, own])
    return list(given.values()), missing


def _count_missing(table, rows):
    shape = used_shape(table)
    fits = rows.ndim and rows.shape[1:] == shape[1:]
    return shape[0] - rows.shape[0] if fits else 0


def _extend(model, tables, n, init, first, given=None):
    """Adds `n` rows to each variable: the rows that `given` holds under `id(variable)`,
    otherwise rows made with `init`."""
    given = given or {}
    check_integers(n=n)
    check_choice("init", init, INITS)
    sources, fresh = {}, {}
    for table in tables:
        old = ops.convert_to_numpy(table)
        rows = given.get(id(table))
        if rows is None:
            rows = _draw_rows(old[first:], n, init)
        sources[id(table)] = [*range(len(old)), *[None] * n]
        fresh[id(table)] = np.concatenate([old, rows]).astype(old.dtype)
    with changing_shapes(model) as optimizers:
        check_optimizers(optimizers, model)
        set_slices(model, optimizers, sources, fresh)


def _draw_rows(old, n, init):
    """Returns `n` new rows: the mean of the old ones, or draws from a normal
    distribution with the mean and standard deviation of each column."""
    mean = old.mean(axis=0, keepdims=True)
    rows = np.repeat(mean, n, axis=0)
    if init == "mean":
        return rows
    rng = np.random.default_rng(random.randrange(2**31))
    return rows + old.std(axis=0, keepdims=True) * rng.normal(size=rows.shape)


def _count_new(n, ids):
    if n is None and ids is None:
        fix = "Give n, the number of new items, or ids, their raw ids."
        raise ArgumentError("n", "and ids are both None", fix)
    if isinstance(ids, str):
        raise ArgumentError("ids", "must be a list", f"Give [{ids!r}].", ids)
    return len(ids) if n is None else n


def _extend_vocabulary(vocabulary, n, ids):
    if vocabulary is None and ids is not None:
        raise ArgumentError(
            "ids",
            "cannot be given to a model that has no vocabulary for them",
            "Set the vocabulary first, or give n instead.",
            ids,
        )
    if vocabulary is None:
        return None
    if ids is None or len(ids) != n:
        new = counted(n, "new item")
        reason = f"must be the raw ids of the {new}, for the model's vocabulary"
        raise ArgumentError("ids", reason, received=ids)
    indices = vocabulary.encode(ids)
    if indices.any():
        known = ids[int(np.flatnonzero(indices)[0])]
        reason = f"has {known!r}, which the model already knows"
        raise ArgumentError("ids", reason, "Give only new items.")
    new = convert_like(ids, vocabulary.ids).tolist()
    known = vocabulary.ids.tolist()
    other = [raw for raw in new if type(raw) not in set(map(type, known))]
    if other:
        reason = f"has {other[0]!r}, but the model's ids are like {known[0]!r}"
        raise ArgumentError("ids", reason, "Give ids of the same type.")
    counts = np.append(vocabulary.counts, np.zeros(n, int))
    extended = Vocabulary([*known, *new], counts)
    extended.get_config()  # refuses ids that cannot be saved, before anything grows
    return extended


def _check_loss(model, n):
    counts = getattr(getattr(model, "loss", None), "item_counts", None)
    if counts is not None and len(counts) != model.num_targets + n:
        raise ArgumentError(
            "item_counts",
            f"of the model's loss is for {counted(len(counts), 'item')}, but the "
            f"model would have {model.num_targets + n:,}",
            "First compile the model with a loss that counts all of them.",
        )
