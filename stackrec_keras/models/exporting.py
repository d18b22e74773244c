"""What `export` writes, on which backend, and for which histories."""

from importlib.util import find_spec

import keras

from stackrec_keras.models.scorer import Scorer

# Format -> backend -> the package that it needs there beside the backend.
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
        length = model.trained_length if _needs_length(format) else None
        input_signature = _signature(model, length)
        _check_length(format, input_signature, "this model was not trained yet")
    _check_length(format, input_signature, "input_signature leaves it open")
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
    here = _listed(name for name, needs in _FORMATS.items() if backend in needs)
    if format not in _FORMATS:
        raise ValueError(f"format={format!r} must be {here} on the {backend} backend.")
    needs = _FORMATS[format]
    if backend not in needs:
        raise ValueError(
            f"format={format!r} cannot be written on the {backend} backend. Give "
            f"{here}. Or save the model as .keras, and load and export it with "
            f"KERAS_BACKEND set to {_listed(needs)}."
        )
    package = needs[backend]
    if package is not None and find_spec(package) is None:
        raise ImportError(
            f"format={format!r} needs one more package on the {backend} backend: pip "
            f"install {package.replace('_', '-')}"
        )


def _needs_length(format):
    """Whether a program must know the length of histories. Where Keras would not ask
    for it, it writes one for histories of a single item."""
    backend = keras.backend.backend()
    return (
        backend == "torch"
        or format == "litert"
        or (backend == "jax" and format == "onnx")
    )


def _signature(model, length):
    items = keras.InputSpec(shape=(None, length), dtype="int32")
    if model.num_users is None:
        return [items]
    return [{"items": items, "users": keras.InputSpec(shape=(None,), dtype="int32")}]


def _check_length(format, signature, reason):
    shapes = [tuple(spec.shape) for spec in keras.tree.flatten(signature)]
    if _needs_length(format) and any(shape[1:] == (None,) for shape in shapes):
        raise ValueError(
            f"On the {keras.backend.backend()} backend format={format!r} writes a "
            f"program for histories of one length, and {reason}. Give "
            "input_signature=[keras.InputSpec(shape=(None, length), dtype='int32')]."
        )


def _listed(names):
    return " or ".join(map(repr, names))
