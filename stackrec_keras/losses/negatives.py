"""Scores of negatives that are drawn per batch, per row or per position."""

from keras import ops

NEGATIVES_PER = ("batch", "row", "position")
"""Which positions share a sample. The ids drawn per batch have 1 axis; those drawn per
row have 2, and those drawn per position have 3."""

# A chunk gathers about this many numbers for each position. If the whole table has more
# numbers than such a chunk, the chunk gathers about as many numbers as the table has.
_GATHERED = 1024
_POSITIONS = 4096  # assumed if a compiled function does not know how many there are


def sample_shape(negatives_per, targets, count):
    """Returns the shape of a draw of `count` negatives: `(count,)`, `(batch, count)` or
    `(batch, time, count)`.

    Args:
        negatives_per: One of `NEGATIVES_PER`.
        targets: Tensor of shape `(batch, time)`.
        count: Integer.
    """
    shared_by = NEGATIVES_PER.index(negatives_per)
    return (*ops.shape(targets)[:shared_by], count)


def by_position(drawn):
    """Returns drawn values in a shape that broadcasts to `(batch, time, count)`."""
    rank = len(drawn.shape)
    if rank == 3:
        return drawn
    return ops.expand_dims(drawn, (0, 1) if rank == 1 else 1)


def negative_logits(hidden, table, offsets, ids):
    """Returns the logit of each drawn item at each position.

    Args:
        hidden: Tensor of shape `(batch, time, dim)`.
        table: Tensor of shape `(num_items + 1, dim)`.
        offsets: float32 tensor of the shape of `ids`. It is added to the products of
            hidden states and table rows.
        ids: int32 tensor of one of the shapes of `sample_shape`.

    Returns:
        A float32 tensor of shape `(batch, time, count)`.
    """
    products = (_of_batch, _of_rows, _of_positions)[len(ids.shape) - 1]
    return ops.cast(products(hidden, table, ids), "float32") + by_position(offsets)


def _of_batch(hidden, table, ids):
    rows = ops.cast(ops.take(table, ids, axis=0), hidden.dtype)
    flat = ops.reshape(hidden, (-1, hidden.shape[-1]))
    products = ops.matmul(flat, ops.transpose(rows))
    return ops.reshape(products, (*ops.shape(hidden)[:2], ids.shape[0]))


def _of_rows(hidden, table, ids):
    rows = ops.cast(ops.take(table, ids, axis=0), hidden.dtype)
    return ops.matmul(hidden, ops.transpose(rows, (0, 2, 1)))


def _of_positions(hidden, table, ids):
    """Takes a few negatives at a time, so that few of their vectors are in memory."""
    count, dim = ids.shape[-1], hidden.shape[-1]
    shape = (*ops.shape(hidden)[:2], count)
    hidden = ops.reshape(ops.cast(hidden, "float32"), (-1, dim))
    size = _chunk_size(hidden.shape[0], count, *table.shape)
    num_chunks = -(-count // size)
    ids = ops.pad(
        ops.reshape(ids, (-1, count)), [[0, 0], [0, num_chunks * size - count]]
    )
    chunks = ops.transpose(ops.reshape(ids, (-1, num_chunks, size)), (1, 0, 2))
    products = _products(hidden, ops.cast(table, "float32"), chunks)
    products = ops.reshape(ops.transpose(products, (1, 0, 2)), (-1, num_chunks * size))
    return ops.reshape(products[:, :count], shape)


def _chunk_size(num_positions, count, num_classes, dim):
    """Returns how many negatives of each position to gather at a time.

    Each chunk adds to the gradient of the whole table. This gradient is in memory
    anyway, so there is little to save with chunks that are smaller than the table.
    """
    of_table = num_classes // (num_positions or _POSITIONS)
    return min(count, max(1, _GATHERED // dim, of_table))


def _products(hidden, table, chunks):
    """Returns the products of hidden states `(positions, dim)` and table rows. `chunks`
    has the ids of the rows, `(num_chunks, positions, size)`; the result has the same
    shape."""
    num_chunks = chunks.shape[0]
    if num_chunks == 1:
        return ops.expand_dims(_of_chunk(hidden, table, chunks[0]), axis=0)

    @ops.custom_gradient
    def products(hidden, table):
        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream

            def add(index, gradients):
                d_hidden, d_table = gradients
                ids = ops.take(chunks, index, axis=0)
                d_products = ops.take(upstream, index, axis=0)
                rows = ops.take(table, ids, axis=0)
                d_hidden += ops.matmul(ops.expand_dims(d_products, 1), rows)[:, 0]
                d_rows = ops.expand_dims(d_products, -1) * ops.expand_dims(hidden, 1)
                d_rows = ops.reshape(d_rows, (-1, table.shape[1]))
                d_table = ops.scatter_update(
                    d_table, ops.reshape(ids, (-1, 1)), d_rows, reduction="add"
                )
                return d_hidden, d_table

            nothing = ops.zeros_like(hidden), ops.zeros_like(table)
            return ops.fori_loop(0, num_chunks, add, nothing)

        return ops.map(lambda ids: _of_chunk(hidden, table, ids), chunks), gradient

    return products(hidden, table)


def _of_chunk(hidden, table, ids):
    rows = ops.take(table, ids, axis=0)
    return ops.matmul(rows, ops.expand_dims(hidden, -1))[..., 0]
