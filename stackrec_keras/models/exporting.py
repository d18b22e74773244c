"""Export: the formats of each backend, and the inputs of the program."""

from importlib.util import find_spec
from pathlib import Path

import keras
from keras import ops

from stackrec_keras.arguments import check_bools
from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.ranker import Ranker
from stackrec_keras.models.recommend import check_k
from stackrec_keras.models.scorer import Scorer
from stackrec_keras.wording import did_you_mean

# Format -> backend -> the package that the format needs besides the backend.
_FORMATS = {
    "tf_saved_model": {"tensorflow": None, "jax": "tensorflow"},
    "onnx": {"tensorflow": "tf2onnx", "jax": "jax2onnx", "torch": "onnxscript"},
    "openvino": {"tensorflow": "openvino", "torch": "openvino"},
    "litert": {"tensorflow": None, "torch": "litert_torch"},
    "torch": {"torch": None},
}
# Format -> how the name of its file must end.
_SUFFIXES = {"openvino": ".xml", "litert": ".tflite", "torch": ".pt2"}
# Feature -> type and rank, for features that are the same for all models.
_KNOWN_FEATURES = {
    "users": ("int32", 1),
    "timestamps": ("int32", 2),
    "next_timestamps": ("int32", 2),
    "at": ("int32", 1),
}


def export(model, filepath, format, verbose, input_signature, **kwargs):
    """See `SequentialRecommender.export`."""
    _check_format(format)
    _check_suffix("filepath", filepath, format)
    needs_length = _needs_length(format)
    if input_signature is None:
        length = model.trained_length if needs_length else None
        input_signature = _signature(model, model.features, length)
    _check_length(format, input_signature, needs_length, model.trained_length)
    program = Scorer(model)
    return _write(program, filepath, format, verbose, input_signature, **kwargs)


def export_recommender(
    model, filepath, k, exclude_seen, format, verbose, input_signature, **kwargs
):
    """See `SequentialRecommender.export_recommender`."""
    _check_format(format)
    _check_suffix("path", filepath, format)
    check_k(k, model.num_targets, "items of the model")
    check_bools(exclude_seen=exclude_seen)
    exclude_seen = exclude_seen and model.scores_what_it_reads
    program = Ranker(model, int(k), exclude_seen, _top_k(format))
    needs_length = _needs_length(format, cuts=program.length is not None)
    if input_signature is None:
        names = ["at" if n == "next_timestamps" else n for n in model.features]
        length = program.length if needs_length else None
        input_signature = _signature(model, names, length)
    _check_length(format, input_signature, needs_length, program.length)
    _write(program, filepath, format, verbose, input_signature, **kwargs)
    _write_vocabularies(model, filepath)


def _write(program, filepath, format, verbose, signature, **kwargs):
    if keras.backend.backend() == "torch":
        from stackrec_keras.models.torch_programs import dynamic_shapes, export_onnx

        if format == "onnx":
            return export_onnx(program, filepath, verbose, signature, **kwargs)
        if format == "torch":
            kwargs.setdefault("dynamic_shapes", dynamic_shapes(signature))
    if keras.backend.backend() == "jax" and format == "tf_saved_model":
        # Keras would let the features of a history differ in length.
        shapes = keras.tree.map_structure(_polymorphic_shape, signature)
        # TensorFlow cannot trace the gradient function of attention in chunks.
        options = {"polymorphic_shapes": shapes, "with_gradient": False}
        kwargs.setdefault("jax2tf_kwargs", options)
    if format == "tf_saved_model" and isinstance(program, Ranker):
        from stackrec_keras.models.saved_model import export_saved_model

        return export_saved_model(program, filepath, verbose, signature, **kwargs)
    return program.export(filepath, format, verbose, signature, **kwargs)


def _polymorphic_shape(spec):
    names = ("batch", "time")
    sizes = [names[i] if n is None else str(n) for i, n in enumerate(spec.shape)]
    return f"({', '.join(sizes)})"


def _top_k(format):
    if format != "torch":
        return ops.top_k
    from stackrec_keras.models.torch_programs import top_k

    return top_k


def _write_vocabularies(model, filepath):
    """Writes the raw ids beside a program, which knows only indices."""
    of_histories, of_targets = model.vocabulary, model.target_vocabulary
    if of_targets is not None:
        path = Path(f"{Path(filepath)}.items.json")
        path.write_text(of_targets.to_json(), "utf-8")
    if of_histories is not None and of_histories is not of_targets:
        path = Path(f"{Path(filepath)}.history_items.json")
        path.write_text(of_histories.to_json(), "utf-8")


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


def _check_suffix(name, path, format):
    suffix = _SUFFIXES.get(format, "")
    if not str(path).endswith(suffix):
        reason = f"must end in {suffix} for the format {format!r}"
        raise ArgumentError(name, reason, received=path)


def _needs_length(format, cuts=False):
    """Returns whether a program must know the length of histories. Without a length,
    Keras would write a program for histories of a single item.

    Args:
        format: String.
        cuts: Boolean, whether the program cuts histories to the length that its model
            reads. Defaults to `False`.
    """
    backend = keras.backend.backend()
    return (
        (backend == "torch" and not cuts)
        or format == "litert"
        or (backend == "jax" and format == "onnx")
    )


def _signature(model, names, length):
    """Returns the inputs of a program: the items, or a dict of all features."""
    items = keras.InputSpec(shape=(None, length), dtype="int32", name="items")
    further = [name for name in names if name != "items"]
    if not further:
        return [items]
    trained = {name: (dtype, rank) for name, dtype, rank in model.trained_features}
    trained = {**_KNOWN_FEATURES, **trained}
    untold = [name for name in further if name not in trained]
    if untold:
        raise ArgumentError(
            "input_signature",
            "must give the shape and type of each feature, including "
            f"{', '.join(map(repr, untold))}, because this model has not been trained",
            "Train it first, or give input_signature=[{'items': keras.InputSpec(...), "
            "...}].",
        )
    specs = {"items": items}
    for name in further:
        dtype, rank = trained[name]
        shape = (None, length)[:rank]
        specs[name] = keras.InputSpec(shape=shape, dtype=dtype, name=name)
    return [specs]


def _check_length(format, signature, needs_length, known_length):
    shapes = [tuple(spec.shape) for spec in keras.tree.flatten(signature)]
    if needs_length and any(shape[1:] == (None,) for shape in shapes):
        why = "but the given signature leaves it open"
        why = why if known_length else "because this model has not been trained"
        raise ArgumentError(
            "input_signature",
            f"must give the length of histories for format={format!r} on the "
            f"{keras.backend.backend()} backend, {why}",
            "Give input_signature=[keras.InputSpec(shape=(None, length), "
            "dtype='int32')].",
        )


def _listed(names):
    return " or ".join(map(repr, names))
