"""Writes TensorFlow SavedModels that give the raw ids of items."""

import keras
import tensorflow as tf


def export_saved_model(ranker, filepath, verbose, input_signature, **kwargs):
    """Writes a SavedModel whose endpoint `"serve"` gives the best items. Another
    endpoint, `"scores"`, gives the scores of all items.

    `"serve"` returns item indices as `"ids"`. If the raw ids are strings, it returns
    them too, as `"items"`; an index of 0 has the raw id `""`.

    Args:
        ranker: A `Ranker`.
        filepath: Path of the folder.
        verbose: As in `keras.Model.export`.
        input_signature: List with one entry: a `keras.InputSpec`, or a dict of
            `keras.InputSpec`s.
        **kwargs: The further arguments of `keras.export.ExportArchive.add_endpoint`.
    """
    archive = keras.export.ExportArchive()
    archive.track(ranker)
    scores = archive.add_endpoint("scores", ranker.scores, input_signature, **kwargs)
    serve = _best_of(scores, ranker, input_signature)
    archive.add_endpoint("serve", serve)
    archive.add_endpoint("serving_default", serve)
    archive.write_out(filepath, verbose=verbose is not False)


def _best_of(scores, ranker, input_signature):
    """Returns a traced function that gives the best items.

    Even on JAX it uses TensorFlow's `top_k`, as TensorFlow cannot load JAX's.
    """
    raw_ids = _strings(ranker.model.target_vocabulary)
    specs = keras.tree.map_structure(_tensor_spec, input_signature)

    @tf.function(input_signature=specs)
    def serve(inputs):
        best, ids = tf.math.top_k(scores(inputs), ranker.k)
        ids = tf.where(tf.math.is_inf(best), 0, ids)
        ranked = {"ids": ids, "scores": best}
        if raw_ids is not None:
            ranked["items"] = tf.gather(raw_ids, ids)
        return ranked

    serve.get_concrete_function()
    return serve


def _strings(vocabulary):
    """Returns the raw ids of a vocabulary as a tensor, `""` for index 0; or `None` if
    they are not strings."""
    ids = [] if vocabulary is None else vocabulary.ids.tolist()
    if not ids or any(type(raw) is not str for raw in ids):
        return None
    return tf.constant(["", *ids])


def _tensor_spec(spec):
    return tf.TensorSpec(spec.shape, spec.dtype, spec.name)
