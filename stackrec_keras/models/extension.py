"""Catalogues and user tables that grow, in place."""

import random

import numpy as np
from keras import ops

from stackrec_keras.arguments import check_integers
from stackrec_keras.data import Vocabulary
from stackrec_keras.data.vocabulary import as_known
from stackrec_keras.stacking.growth import set_slices
from stackrec_keras.stacking.in_place import changing_shapes
from stackrec_keras.stacking.optimizer_state import check_optimizers

INITS = ("mean", "random")


def extend_items(model, n, init, ids, trained=None):
    """See `SequentialRecommender.extend_items`. `trained` is the model that trains
    this one's weights, if it is another."""
    trained = trained or model
    n = _number(n, ids)
    vocabulary = _extended(model.vocabulary, n, ids)
    if trained is model:
        _check_loss(model, n)
    embedding, output = model.item_embedding, model.output_table
    # Row 0 is the padding's, and says nothing of items.
    _extend(trained, catalogues(model)["items"], n, init, 1)
    model.num_items += n
    embedding.input_dim = output.num_items + 1 + n
    output.num_items += n
    model.vocabulary = vocabulary


def extend_targets(model, n, init, ids):
    """See `TransferRecommender.extend_targets`."""
    n = _number(n, ids)
    vocabulary = _extended(model.target_vocabulary, n, ids)
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
    """Returns a dict from what can be extended to its variables, which have a row for
    each item, user or target."""
    output = [model.output_table.table, model.output_table.bias]
    if hasattr(model, "source"):
        return {**catalogues(model.source), "targets": output}
    tables = {}
    if hasattr(model, "item_embedding"):
        tables["items"] = [model.item_embedding.embeddings, *output]
    if hasattr(model, "user_embedding"):
        tables["users"] = [model.user_embedding.embeddings]
    return tables


def with_own_rows(model, weights):
    """Returns weights of the model from before it was extended with the rows that it
    has now, and how many they lacked: a dict from the name of a catalogue."""
    if len(weights) != len(model.weights):
        return weights, {}
    given = {id(v): np.asarray(w) for v, w in zip(model.weights, weights)}
    lacking = {}
    for name, tables in catalogues(model).items():
        numbers = {_number_lacking(table, given[id(table)]) for table in tables}
        if len(numbers) > 1 or max(numbers) < 1:
            continue
        lacking[name] = max(numbers)
        for table in tables:
            rows = given[id(table)]
            own = ops.convert_to_numpy(table)[len(rows) :]
            given[id(table)] = np.concatenate([rows, own])
    return list(given.values()), lacking


def _number_lacking(table, rows):
    fits = rows.ndim and rows.shape[1:] == tuple(table.shape)[1:]
    return table.shape[0] - rows.shape[0] if fits else 0


def _extend(model, tables, n, init, first):
    check_integers(n=n)
    if init not in INITS:
        raise ValueError(
            f"init must be one of {', '.join(map(repr, INITS))}. Received: {init!r}"
        )
    sources, fresh = {}, {}
    for table in tables:
        old = ops.convert_to_numpy(table)
        rows = _new_rows(old[first:], n, init)
        sources[id(table)] = [*range(len(old)), *[None] * n]
        fresh[id(table)] = np.concatenate([old, rows]).astype(old.dtype)
    with changing_shapes(model) as optimizers:
        check_optimizers(optimizers, model)
        set_slices(model, optimizers, sources, fresh)


def _new_rows(old, n, init):
    """What no one has seen is the mean of what is known, or drawn from the normal
    distribution with the mean and deviation of each column."""
    mean = old.mean(axis=0, keepdims=True)
    rows = np.repeat(mean, n, axis=0)
    if init == "mean":
        return rows
    rng = np.random.default_rng(random.randrange(2**31))
    deviation = old.std(axis=0, keepdims=True)
    return rows + deviation * rng.normal(size=rows.shape)


def _number(n, ids):
    if n is None and ids is None:
        raise ValueError("Give n, how many, or ids, the raw ids of the new items.")
    if isinstance(ids, str):
        raise ValueError(f"ids is {ids!r}. Give a list: [{ids!r}].")
    return len(ids) if n is None else n


def _extended(vocabulary, n, ids):
    if vocabulary is None and ids is not None:
        raise ValueError(
            "ids are the raw ids of the new items, and the model has no vocabulary of "
            "that catalogue. Set it first, or leave ids out."
        )
    if vocabulary is None:
        return None
    if ids is None or len(ids) != n:
        raise ValueError(
            f"The model has a vocabulary: ids must be the {n} raw ids of the new "
            f"items. Received: ids={ids!r:.200}"
        )
    indices = vocabulary.encode(ids)
    if indices.any():
        raise ValueError(
            f"ids has {ids[int(np.flatnonzero(indices)[0])]!r}, which the model knows "
            "already. Give new items alone."
        )
    new = as_known(ids, vocabulary.ids).tolist()
    known = vocabulary.ids.tolist()
    other = [raw for raw in new if type(raw) not in set(map(type, known))]
    if other:
        raise ValueError(
            f"ids has {other[0]!r}, and the model knows ids such as {known[0]!r}. Give "
            "ids of the same type."
        )
    counts = np.append(vocabulary.counts, np.zeros(n, int))
    extended = Vocabulary([*known, *new], counts)
    extended.get_config()  # raises, before anything grows, what the setter would
    return extended


def _check_loss(model, n):
    counts = getattr(getattr(model, "loss", None), "item_counts", None)
    if counts is not None and len(counts) != model.num_targets + n:
        raise ValueError(
            f"The model's loss has item_counts of {len(counts)} items, and there would "
            f"be {model.num_targets + n}. Compile with a loss that counts all of these "
            "first."
        )
