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
        input_signature = _default_signature(model, format)
    _check_signature(format, input_signature)
    scorer = Scorer(model)
    if format == "onnx" and keras.backend.backend() == "torch":
        from stackrec_keras.models.torch_onnx import export_onnx

        return export_onnx(scorer, filepath, verbose, input_signature, **kwargs)
    return scorer.export(filepath, format, verbose, input_signature, **kwargs)


def _check_format(format):
    backend = keras.backend.backend()
    here = [name for name, backends in _FORMATS.items() if backend in backends]
    if format not in _FORMATS:
        raise ValueError(f"format={format!r} must be one of {_listed(here)}.")
    if backend not in _FORMATS[format]:
        raise ValueError(
            f"format={format!r} cannot be written on the {backend} backend. Give "
            f"{_listed(here)}; or save the model, and load and export it in a process "
            f"with KERAS_BACKEND={_listed(_FORMATS[format], repr=str)}."
        )
    package = _FORMATS[format][backend]
    if package is not None and find_spec(package) is None:
        raise ImportError(
            f"format={format!r} needs another package on the {backend} backend: pip "
            f"install {package.replace('_', '-')}"
        )


def _of_one_length(format):
    """Whether the program that is written takes histories of one length alone."""
    backend = keras.backend.backend()
    return backend == "torch" or format == "litert" or (backend, format) == _JAX_ONNX


_JAX_ONNX = ("jax", "onnx")


def _default_signature(model, format):
    length = None
    if _of_one_length(format):
        length = model.trained_length
        if length is None:
            raise ValueError(
                f"{_one_length(format)}, and this model was not trained yet, which "
                f"would tell it. {_GIVE_LENGTH}"
            )
    items = keras.InputSpec(shape=(None, length), dtype="int32")
    if model.num_users is None:
        return [items]
    return [{"items": items, "users": keras.InputSpec(shape=(None,), dtype="int32")}]


def _check_signature(format, signature):
    lengths = [
        spec.shape[1] for spec in keras.tree.flatten(signature) if len(spec.shape) == 2
    ]
    if None in lengths and _of_one_length(format):
        raise ValueError(
            f"{_one_length(format)}, and input_signature leaves it open. {_GIVE_LENGTH}"
        )


def _one_length(format):
    return (
        f"format={format!r} writes a program for histories of one length on the "
        f"{keras.backend.backend()} backend"
    )


_GIVE_LENGTH = (
    "Give input_signature=[keras.InputSpec(shape=(None, length), dtype='int32')]."
)


def _listed(names, repr=repr):
    return " or ".join(map(repr, names))
