"""Export: the formats of each backend, and the inputs of the program."""

from importlib.util import find_spec

import keras

from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.scorer import Scorer
from stackrec_keras.wording import did_you_mean

# Format -> backend -> the package that the format needs there beside the backend.
_FORMATS = {
    "tf_saved_model": {"tensorflow": None, "jax": "tensorflow"},
    "onnx": {"tensorflow": "tf2onnx", "jax": "jax2onnx", "torch": "onnxscript"},
    "openvino": {"tensorflow": "openvino", "torch": "openvino"},
    "litert": {"tensorflow": None, "torch": "litert_torch"},
    "torch": {"torch": None},
}


def export(model, filepath, format, verbose, input_signature, **kwargs):
    """See `SequentialRecommender.export`."""
    _check_format(format)
    if input_signature is None:
        fixed = _needs_length(format) or _has_columns_on_jax(model)
        length = model.trained_length if fixed else None
        input_signature = _signature(model, length)
        _check_length(format, input_signature, "this model has not been trained")
    _check_length(format, input_signature, "this one leaves it open")
    scorer = Scorer(model)
    if keras.backend.backend() == "torch":
        from stackrec_keras.models.torch_programs import dynamic_shapes, export_onnx

        if format == "onnx":
            return export_onnx(scorer, filepath, verbose, input_signature, **kwargs)
        if format == "torch":
            kwargs.setdefault("dynamic_shapes", dynamic_shapes(input_signature))
    return scorer.export(filepath, format, verbose, input_signature, **kwargs)


def _check_format(format):
    backend = keras.backend.backend()
    here = [name for name, needs in _FORMATS.items() if backend in needs]
    if format not in _FORMATS:
        reason = f"must be {_listed(here)} on the {backend} backend"
        meant = did_you_mean(format, here) if isinstance(format, str) else ""
        raise ArgumentError("format", reason, meant, format)
    needs = _FORMATS[format]
    if backend not in needs:
        raise ArgumentError(
            "format",
            f"must be {_listed(here)} on the {backend} backend",
            "Or save the model as .keras, and load and export it with KERAS_BACKEND "
            f"set to {_listed(needs)}.",
            format,
        )
    package = needs[backend]
    if package is not None and find_spec(package) is None:
        raise ImportError(
            f"format={format!r} needs one more package on the {backend} backend: pip "
            f"install {package.replace('_', '-')}"
        )


def _needs_length(format):
    """Returns whether a program must know the length of histories. If Keras did not
    ask for it, it would write a program for histories of a single item."""
    backend = keras.backend.backend()
    return (
        backend == "torch"
        or format == "litert"
        or (backend == "jax" and format == "onnx")
    )


def _has_columns_on_jax(model):
    """Returns whether JAX would take each feature to have a length of its own."""
    return keras.backend.backend() == "jax" and any(
        rank > 1 for name, _, rank in model.trained_features if name != "items"
    )


def _signature(model, length):
    """Returns the inputs of a program: the items, or a dict of all features."""
    items = keras.InputSpec(shape=(None, length), dtype="int32")
    further = [name for name in model.features if name != "items"]
    if not further:
        return [items]
    trained = {name: (dtype, rank) for name, dtype, rank in model.trained_features}
    trained.setdefault("users", ("int32", 1))
    untold = [name for name in further if name not in trained]
    if untold:
        raise ArgumentError(
            "input_signature",
            "must give the shape and type of each feature, also of "
            f"{', '.join(map(repr, untold))}, since this model has not been trained",
            "Train it first, or give input_signature=[{'items': keras.InputSpec(...), "
            "...}].",
        )
    specs = {"items": items}
    for name in further:
        dtype, rank = trained[name]
        specs[name] = keras.InputSpec(shape=(None, length)[:rank], dtype=dtype)
    return [specs]


def _check_length(format, signature, why):
    shapes = [tuple(spec.shape) for spec in keras.tree.flatten(signature)]
    if _needs_length(format) and any(shape[1:] == (None,) for shape in shapes):
        raise ArgumentError(
            "input_signature",
            f"must give the length of histories for format={format!r} on the "
            f"{keras.backend.backend()} backend, and {why}",
            "Give input_signature=[keras.InputSpec(shape=(None, length), "
            "dtype='int32')].",
        )


def _listed(names):
    return " or ".join(map(repr, names))
