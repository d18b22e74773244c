import keras
from keras import ops

from stackrec_keras.models.inputs import as_features
from stackrec_keras.models.scored_items import LEAST_ROWS
from stackrec_keras.models.seen_in_evaluation import without_seen
from stackrec_keras.types import Tensor


class Ranker(keras.Model):
    """The model that `export_recommender` writes. Its `call` returns the best items.

    It does in one graph what `recommend` does batch by batch. Zeros and unknown items
    may stand anywhere in a history; they are skipped.

    Args:
        model: A `SequentialRecommender`.
        k: Integer, number of items for each history.
        exclude_seen: Boolean, whether to leave out the items of the history.
        top_k: Function of scores and `k` that returns each row's `k` highest scores and
            their indices. Among equal scores the lower index comes first. Defaults to
            `keras.ops.top_k`.

    Call arguments:
        inputs: The inputs of `model`, of any length. If `model` reads
            `"next_timestamps"`, give `"at"` instead, the times of the requests,
            `(batch,)`.

    Returns:
        Dict of `"ids"`, int32, and `"scores"`, float32, each `(batch, k)`, best first.
        Where fewer than `k` items are left, ids are 0 and scores -inf.
    """

    def __init__(self, model, k, exclude_seen, top_k=ops.top_k):
        super().__init__(name=model.name)
        self.model = model
        self.output_table = model.output_table.without_features()  # as in `Scorer`
        self.k = k
        self.exclude_seen = exclude_seen
        self.top_k = top_k
        self.built = True

    @property
    def length(self) -> int | None:
        """Integer, how many of the last items the model reads, or `None` for all."""
        return self.model.trained_length or self.model.max_length

    def call(self, inputs: Tensor) -> dict[str, Tensor]:
        best, ids = self.top_k(self.scores(inputs), self.k)
        ids = ops.where(best == -float("inf"), 0, ops.cast(ids, "int32"))
        return {"ids": ids, "scores": best}

    def scores(self, inputs: Tensor) -> Tensor:
        """Returns the scores of all items, `(batch, num_items + 1)`. They are -inf for
        the padding and for items to leave out."""
        features = _at_the_right(as_features(inputs), self.model.num_items)
        scores = self._scores(self._hidden(features))
        if self.exclude_seen:
            scores = without_seen(scores, features["items"])
        return scores

    def _hidden(self, features):
        """Returns hidden states `(batch, dim)` at the end of each history."""
        cut = {name: self._cut(values) for name, values in features.items()}
        return self.model(_with_next_times(cut), training=False)[:, -1]

    def _cut(self, values):
        if self.length is None or len(values.shape) == 1:
            return values
        padded = ops.pad(values, ((0, 0), (self.length, 0)))
        return padded[:, -self.length :]

    def _scores(self, hidden):
        # Padded: with few rows, products of equal vectors can differ in the last bit.
        more = LEAST_ROWS - 1
        padded = ops.pad(hidden, ((0, more), (0, 0)))
        return ops.cast(self.output_table(padded)[:-more], "float32")


def _at_the_right(features, num_items):
    """Returns features with the items moved to the right and 0 elsewhere."""
    items = features["items"]
    is_item = ops.logical_and(items >= 1, items <= num_items)
    rows, time = ops.shape(items)
    # New places are computed from counts, because ONNX has no stable sort.
    items_before = ops.cumsum(ops.cast(is_item, "int32"), axis=1)
    others_before = ops.arange(1, time + 1, dtype="int32") - items_before
    place = ops.where(is_item, others_before[:, -1:] + items_before, others_before) - 1
    row = ops.expand_dims(ops.arange(0, rows, dtype="int32"), axis=1)
    places = ops.reshape(row * time + place, (-1, 1))

    def moved(values):
        if len(values.shape) == 1:
            return values
        kept = ops.reshape(ops.where(is_item, values, ops.zeros_like(values)), (-1,))
        kept = ops.scatter_update(ops.zeros_like(kept), places, kept)
        return ops.reshape(kept, (rows, time))

    return {name: moved(values) for name, values in features.items()}


def _with_next_times(features):
    """Returns features with the time of the next event in place of `"at"`."""
    if "at" not in features:
        return features
    others = {name: features[name] for name in features if name != "at"}
    times = features["timestamps"]
    at = ops.cast(ops.expand_dims(features["at"], axis=1), times.dtype)
    following = ops.concatenate([times[:, 1:], at], axis=1)
    is_item = ops.not_equal(features["items"], 0)
    following = ops.where(is_item, following, ops.zeros_like(following))
    return {**others, "next_timestamps": following}
