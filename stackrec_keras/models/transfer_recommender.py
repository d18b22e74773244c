from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from stackrec_keras.arguments import check_bools, check_integers
from stackrec_keras.data import Vocabulary
from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.extension import extend_items, extend_targets
from stackrec_keras.models.inputs import Data, Features
from stackrec_keras.models.recommend import recommend
from stackrec_keras.models.sequential_recommender import SequentialRecommender
from stackrec_keras.models.vocabularies import check_vocabulary
from stackrec_keras.types import Tensor


@keras.saving.register_keras_serializable(package="stackrec_keras")
class TransferRecommender(SequentialRecommender):
    """Recommends items of one catalogue to users with histories in another.

    It reads histories with a copy of a model trained on the source items, and scores
    the items of a target catalogue with a new output embedding. It is compiled, grown
    and saved like any other model, and trained on one target item per row. The original
    model is not changed.

    Args:
        model: The trained model, a `SequentialRecommender` such as `NextItNet`.
        num_targets: Integer, the number of target items. Their ids are
            1..num_targets; 0 is padding.
        target_regularizer: A Keras regularizer for the vectors of the target items, or
            `None`. StackRec's reference implementation uses `L2(0.01)`. Defaults to
            `None`.
        **kwargs: `normalize` and `temperature`, how the target items are scored (see
            `SequentialRecommender`); `name`, `dtype` and the other arguments of a Keras
            model. `dtype` defaults to the dtype of `model`.

    Call arguments:
        inputs: As for `model`: source items `(batch, time)`, or a dict of features.
        training: Boolean or `None`, as in Keras. Defaults to `None`.

    Returns:
        Hidden states, a tensor of shape `(batch, time, dim)`.

    Raises:
        ArgumentError: If `model` is not a model of this package, `num_targets` is
            not an integer of at least 1, or `tied` is `True`.

    Example:

    ```python
    split = sr.data.read_transfer("food_kitchen.csv", model.vocabulary).split()
    transfer = sr.TransferRecommender(model, split.num_targets)
    transfer.target_vocabulary = split.target_vocabulary
    transfer.compile(loss=sr.losses.BinaryCrossEntropy())
    transfer.fit(split.train.batches(512), epochs=5, callbacks=[sr.FreezeStack(2)])
    transfer.recommend([["tea", "rice"]], k=5)
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """

    # The source model already uses the base class's names, and variable paths must be
    # unique, so these names differ.
    output_name = "target_table"
    seed_name = "target_seed_generator"
    scores_what_it_reads = False

    def __init__(
        self,
        model: SequentialRecommender,
        num_targets: int,
        target_regularizer: keras.regularizers.Regularizer | str | None = None,
        **kwargs,
    ) -> None:
        check_integers(num_targets=num_targets)
        if not isinstance(model, SequentialRecommender):
            reason = "must be a trained model, such as a NextItNet or a SASRec"
            raise ArgumentError("model", reason, received=model)
        if isinstance(model, TransferRecommender):
            raise ArgumentError(
                "model",
                "is already a TransferRecommender",
                "Give the model that it was made from: model.source.",
            )
        if kwargs.get("tied"):
            raise ArgumentError(
                "tied",
                "needs one catalogue for input and output, but a TransferRecommender "
                "reads one and recommends from another",
                "Leave it False. The model of the source items may be tied.",
                kwargs["tied"],
            )
        if kwargs.get("item_features") is not None:
            raise ArgumentError(
                "item_features",
                "belongs to the model of the source items",
                "Build that model with it.",
            )
        kwargs.setdefault("dtype", model.dtype_policy)
        super().__init__(
            num_targets, model.output_table.dim, model.num_blocks, **kwargs
        )
        self.num_items = model.num_items
        self.trained_length = model.trained_length
        self.target_regularizer = keras.regularizers.get(target_regularizer)
        self.output_table.table.regularizer = self.target_regularizer
        self.source = _copy(model)
        # Training predicts no source items, so their output embedding stays the same.
        self.source.output_table.trainable = False
        self._target_vocabulary = None
        self.build()

    def hidden_states(self, features: Features, training: bool | None) -> Tensor:
        return self.source(features, training=training)

    @property
    def features(self) -> tuple[str, ...]:  # type: ignore[override]
        """Tuple of strings, the features that the source model takes."""
        return self.source.features

    @property
    def optional_features(self) -> tuple[str, ...]:  # type: ignore[override]
        """Tuple of strings, the features that only training needs."""
        return self.source.optional_features

    @property
    def whole_features(self) -> tuple[str, ...]:  # type: ignore[override]
        """Tuple of strings, the features that the source model needs as integers."""
        return self.source.whole_features

    @property
    def ignores_padding(self) -> bool:
        return self.source.ignores_padding

    @property
    def max_length(self) -> int | None:  # type: ignore[override]
        """Integer or `None`, the maximum input length. Longer inputs are cut to their
        last items."""
        return self.source.max_length

    @property
    def num_users(self) -> int | None:  # type: ignore[override]
        """Integer, the number of users, or `None` if the model takes no users."""
        return self.source.num_users

    @property
    def vocabulary(self) -> Vocabulary | None:
        """`Vocabulary` of the source items, or `None`. It is saved with the model."""
        return self.source.vocabulary

    @vocabulary.setter
    def vocabulary(self, vocabulary):
        self.source.vocabulary = vocabulary

    @property  # type: ignore[override]
    def target_vocabulary(self) -> Vocabulary | None:
        """`Vocabulary` of the target items, or `None`. It is saved with the model."""
        return self._target_vocabulary

    @target_vocabulary.setter
    def target_vocabulary(self, vocabulary):
        check_vocabulary(
            "target_vocabulary", vocabulary, "num_targets", self.num_targets
        )
        self._target_vocabulary = vocabulary

    def recommend(
        self,
        x: Data,
        k: int = 10,
        exclude_seen: bool = True,
        batch_size: int = 256,
        items: Any = None,
        at: Any = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Recommends the target items with the highest scores.

        Args:
            x: Histories of source items, as in `SequentialRecommender.recommend`.
            k: Integer, number of target items for each history. Defaults to `10`.
            exclude_seen: Boolean, without effect: histories have no target items.
                Defaults to `True`.
            batch_size: Integer, number of histories that the model reads at a time.
                Defaults to `256`.
            items: The target items to choose from, one list for all histories or one
                for each history. Raw ids if `x` is a list of histories and the model
                has a `target_vocabulary`, otherwise indices. Defaults to `None`, which
                means all target items.
            at: The time of the request, as in `SequentialRecommender.recommend`.
                Defaults to `None`.

        Returns:
            A pair of arrays `(batch, k)`, best first: target ids (raw ids if `x` is a
            list and the model has a `target_vocabulary`) and scores.

        Raises:
            ArgumentError: If a history has no known item. If `items` has an unknown
                item or an empty list. If `k` is not an integer from 1 to `num_targets`.
            ValueError: If scores are NaN.
        """
        check_bools(exclude_seen=exclude_seen)
        return recommend(self, x, k, False, batch_size, items, at)

    def similar_items(self, ids: Any, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """Finds similar source items: see `SequentialRecommender.similar_items`.
        (Target items have no input embeddings.)"""
        return self.source.similar_items(ids, k)

    def extend_items(
        self,
        n: int | None = None,
        init: str | None = None,
        ids: Sequence | None = None,
        features: Any = None,
    ) -> None:
        """Adds source items: see `SequentialRecommender.extend_items`."""
        extend_items(self.source, n, init, ids, features, trained=self)
        self.num_items = self.source.num_items

    def extend_targets(
        self, n: int | None = None, init: str = "mean", ids: Sequence | None = None
    ) -> None:
        """Adds target items, as `extend_items` adds source items.

        Args:
            n: Integer, the number of new items. Defaults to `None`, which means as
                many as there are `ids`.
            init: String, how their vectors and biases are initialized: `"mean"` or
                `"random"`. Defaults to `"mean"`.
            ids: List of their raw ids, required if the model has a
                `target_vocabulary`. Defaults to `None`.

        Raises:
            ArgumentError: If an argument is invalid. The model is then unchanged.
        """
        extend_targets(self, n, init, ids)

    def fit(
        self, x: Data = None, y: Tensor | None = None, *args: Any, **kwargs
    ) -> keras.callbacks.History:
        """Trains the model; takes the arguments of `keras.Model.fit`.

        `x` is `(batch, time)`, source items, and `y` is `(batch,)`, the target item of
        each row. Or `x` is a data set that yields such pairs. The same holds for
        `validation_data`.
        """
        # Checked before training: on JAX, an error inside a traced step would lose the
        # weights.
        if y is None and isinstance(x, keras.utils.PyDataset):
            for targets in keras.tree.flatten(x[0][1]):
                _check_one_target(targets)
        elif y is not None:
            _check_one_target(y)
        return super().fit(x, y, *args, **kwargs)

    def training_targets(
        self, x: Data, y: Tensor, hidden: Tensor, sample_weight: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        _check_one_target(y)
        return super().training_targets(x, y, hidden, sample_weight)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        # These are in the source model's configuration.
        for name in ("num_items", "num_blocks"):
            del config[name]
        regularizer = self.target_regularizer
        return {
            **config,
            "model": keras.saving.serialize_keras_object(self.source),
            "num_targets": self.num_targets,
            "target_regularizer": keras.regularizers.serialize(regularizer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TransferRecommender":
        model = keras.saving.deserialize_keras_object(config["model"])
        return cls(**{**config, "model": model})


def _check_one_target(y):
    if len(y.shape) != 1:
        raise ArgumentError(
            "y",
            f"has shape {tuple(y.shape)}, but must have one target item per row: "
            "(batch,)",
            "A history with several targets needs several rows.",
        )


def _copy(model):
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    copy.vocabulary = model.vocabulary
    copy.has_callers = True
    return copy
