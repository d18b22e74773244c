import keras

from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.extension import catalogues


def layout(
    model: keras.Model, mesh: keras.distribution.DeviceMesh
) -> keras.distribution.LayoutMap:
    """Returns a layout that splits the tables of items over devices.

    The input embedding, the output embedding, its biases and item features are split by
    rows over the last axis of the mesh. So are the optimizer's slots for them. All
    other weights are copied to each device. `keras.distribution.ModelParallel` splits
    batches over the first axis.

    The catalogue may have any number of items, and may be extended. A split table
    stores unused rows at its end, so that JAX can split it into equal parts. Losses,
    rankings, `get_weights` and files do not contain these rows: a file that was saved
    with a layout loads without one, and the other way round.

    Keras places a variable when it creates it. Therefore set the distribution before
    you build or load the model that is to be trained.

    Args:
        model: A model of the kind to be trained. Only the names of its variables are
            read, so it may have fewer items and blocks.
        mesh: `keras.distribution.DeviceMesh` with two axes: the first for batches, the
            last for items.

    Returns:
        A `keras.distribution.LayoutMap`.

    Raises:
        ArgumentError: If the backend is not JAX, `model` has no tables of items, or
            `mesh` is not a mesh of two axes.

    Example:

    ```python
    mesh = keras.distribution.DeviceMesh((2, 2), ["batch", "items"])
    small = sr.SASRec(1, max_length=50)
    parallel = keras.distribution.ModelParallel(
        layout_map=sr.distribution.layout(small, mesh)
    )
    with parallel.scope():
        model = sr.SASRec(5_000_000, max_length=50)
        model.compile()
        model.fit(split.train.batches(256), epochs=10)
    ```
    """
    _check_backend()
    if not isinstance(mesh, keras.distribution.DeviceMesh) or len(mesh.shape) != 2:
        raise ArgumentError(
            "mesh",
            "must be a DeviceMesh with two axes, the first for batches and the last "
            "for items",
            'Give keras.distribution.DeviceMesh((2, 2), ["batch", "items"]), or (1, 4) '
            "to split only the tables.",
            mesh,
        )
    if not hasattr(model, "output_table"):
        raise ArgumentError(
            "model", "must be a model of stackrec_keras, such as a SASRec", "", model
        )
    tables = catalogues(model)
    layouts = keras.distribution.LayoutMap(mesh)
    for variable in [*tables["items"], *tables.get("targets", [])]:
        further = len(variable.shape) - 1
        layouts[variable.path] = (mesh.axis_names[-1], *[None] * further)
    return layouts


def _check_backend():
    backend = keras.backend.backend()
    if backend != "jax":
        raise ArgumentError(
            "layout",
            "needs keras.distribution.ModelParallel, which Keras has only on JAX",
            "Set KERAS_BACKEND=jax before Python starts.",
            backend,
        )
