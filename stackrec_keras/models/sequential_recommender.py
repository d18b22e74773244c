import inspect
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from stackrec_keras.arguments import check_integers, nearest_names
from stackrec_keras.data import Vocabulary
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers import OutputTable, seed_generator
from stackrec_keras.models.checked_inputs import check_ids
from stackrec_keras.models.checkpoint import GrowableCheckpoint
from stackrec_keras.models.exportable import Exportable
from stackrec_keras.models.extension import extend_items
from stackrec_keras.models.inputs import (
    Data,
    Features,
    as_features,
    items_of,
)
from stackrec_keras.models.item_features import (
    HasItemFeatures,
    check_id_dropout,
    config_of,
    given_features,
)
from stackrec_keras.models.length_parts import in_parts
from stackrec_keras.models.recommend import recommend
from stackrec_keras.models.refused_h5 import SavesAsKeras
from stackrec_keras.models.similar_items import similar_items
from stackrec_keras.models.trainer import Trainer
from stackrec_keras.models.vocabularies import check_vocabulary
from stackrec_keras.stacking import Growth, grow
from stackrec_keras.stacking.growth import block_stacks
from stackrec_keras.types import Tensor


class SequentialRecommender(
    HasItemFeatures,
    Trainer,
    Exportable,
    SavesAsKeras,
    GrowableCheckpoint,
    keras.Model,
):
    """Base of all models: a next-item recommender whose depth can grow.

    A subclass builds its layers, including a `BlockStack`, in the constructor, and says
    how the features of a row become hidden states (`hidden_states`). If it reads more
    than items, it also says which features it takes (`features`).

    Args:
        num_items: Integer; item ids are 1..num_items, 0 is padding (on the left).
        dim: Integer, the width of the hidden states.
        num_blocks: Integer, the depth to build with.
        tied: Boolean, whether one table is used for input and output: scores come
            from `item_embedding`, and there is no output embedding and no bias.
            Hidden states must be as wide as item vectors. Defaults to `False`.
        normalize: Boolean, whether hidden states and item vectors are divided by
            their L2 norm. Each score is then a cosine divided by `temperature`, and
            there are no biases. Use it with a low temperature, such as 0.05. Defaults
            to `False`.
        temperature: Float, the divisor of scores, applied before a bias is added.
            Defaults to `1.0`.
        item_features: Array of shape `(num_items, num_features)`, a fixed vector for
            each item, such as an embedding of its text; item 1 first.
            `Vocabulary.align_features` makes the array from a frame. Trained matrices
            project each vector to the item's vectors in the input and output
            embeddings. All items are projected once in each training step (even with
            sampled losses), each batch of `evaluate` and `predict`, and each call of
            `recommend`. Defaults to `None`.
        feature_fusion: `"add"` adds the projected features to what is learned for each
            id; `"replace"` makes an item's vectors only from its features. Defaults
            to `"add"`.
        id_dropout: Float, the fraction of items that a training step treats as new: it
            leaves out what is learned for their ids, so that the features must suffice.
            For models with `item_features`. Defaults to `0.0`.
        **kwargs: `name`, `dtype` and the other arguments of a Keras model.

    Call arguments:
        inputs: Integer tensor of item ids, `(batch, time)`; or a dict of named
            features with `"items"` among them. `"users"` has the shape `(batch,)`; each
            column of a log has `(batch, time)`. In training, it may be a tuple of such
            dicts, as `Batches` give with `group_by_length`.
        training: Boolean or `None`, as in Keras.

    Returns:
        Hidden states, a tensor of shape `(batch, time, dim)`; or a tuple of them.

    Raises:
        ArgumentError: If an argument is invalid.
    """

    features: tuple[str, ...] = ("items",)
    """Tuple of strings, the features that the model takes: `"items"`, `"users"` and
    columns of the log."""

    optional_features: tuple[str, ...] = ()
    """Tuple of strings, the features that only training needs."""

    whole_features: tuple[str, ...] = ()
    """Tuple of strings, the features that must be integers."""

    num_users: int | None = None
    """Integer, the number of users, or `None` for a model without a table of users."""

    output_fan_in = False
    """Boolean, the `fan_in` of `OutputTable`: how its weights are initialized."""

    output_name = "output_table"
    """String, the name of the layer of the output embedding."""

    seed_name = "seed_generator"
    """String, the name of the model's random generator."""

    def __init__(
        self,
        num_items: int,
        dim: int,
        num_blocks: int,
        tied: bool = False,
        normalize: bool = False,
        temperature: float = 1.0,
        item_features: Any = None,
        feature_fusion: str = "add",
        id_dropout: float = 0.0,
        **kwargs,
    ) -> None:
        _check_names(type(self), kwargs)
        super().__init__(**kwargs)
        check_integers(num_items=num_items, num_blocks=num_blocks)
        self.num_items = int(num_items)
        self.initial_blocks = int(num_blocks)
        given = given_features(item_features, feature_fusion, self.num_items)
        check_id_dropout(id_dropout, given, feature_fusion)
        self._item_features, self.feature_fusion = given, feature_fusion
        self.id_dropout = id_dropout
        if given is not None:
            is_number = isinstance(given, int)
            self.num_item_features = given if is_number else given.shape[1]
        # Scores are computed in full precision, because half precision would make ties.
        self.output_table = OutputTable(
            num_items,
            dim,
            self.output_fan_in,
            tied,
            normalize,
            temperature,
            self.num_item_features,
            feature_fusion,
            dtype=self.dtype_policy.variable_dtype,
            name=self.output_name,
        )
        self.output_table.build((None, dim))
        self.tied = self.output_table.tied
        self.normalize = self.output_table.normalize
        self.temperature = self.output_table.temperature
        self.seed_generator = seed_generator(self.seed_name)
        self._vocabulary: Vocabulary | None = None

    @property
    def ignores_padding(self) -> bool:
        """Boolean, whether padding on the left leaves the hidden states of the items
        unchanged. Such a model can be trained with `group_by_length`."""
        return False

    def hidden_states(self, features: Features, training: bool | None) -> Tensor:
        """Returns hidden states `(batch, time, dim)`.

        Args:
            features: Dict from feature name to tensor. It has all the names in
                `self.features`, except optional ones that were not given.
            training: Boolean or `None`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define hidden_states().")

    @property
    def num_targets(self) -> int:
        """Integer, how many items are scored: `num_items`, unless the model reads one
        catalogue and recommends from another."""
        return self.output_table.num_items

    @property
    def vocabulary(self) -> Vocabulary | None:
        """`Vocabulary` of the raw item ids, or `None`. A `.keras` file holds it."""
        return self._vocabulary

    @vocabulary.setter
    def vocabulary(self, vocabulary: Vocabulary | None) -> None:
        check_vocabulary("vocabulary", vocabulary, "num_items", self.num_items)
        self._vocabulary = vocabulary

    @property  # type: ignore[override]
    def target_vocabulary(self) -> Vocabulary | None:
        """`Vocabulary` of the items that are scored: `vocabulary`, unless the model
        reads one catalogue and recommends from another."""
        return self.vocabulary

    @target_vocabulary.setter
    def target_vocabulary(self, vocabulary):
        self.vocabulary = vocabulary

    def build(self, input_shape: tuple | None = None) -> None:
        self.connect_item_features()
        if self.tied:
            self.output_table.tie(getattr(self, "item_embedding", None))
        self.built = True

    def call(self, inputs: Data, training: bool | None = None) -> Tensor:
        if in_parts(inputs):
            return tuple(self.call(part, training) for part in inputs)
        features = as_features(inputs)
        cut = {name: self.last_items(values) for name, values in features.items()}
        return self.hidden_states(cut, training)

    def score(self, inputs: Data) -> Tensor:
        """Scores every item as the next one.

        Args:
            inputs: As in `call`.

        Returns:
            Tensor of shape `(batch, num_items + 1)`. The score of padding is -inf.
        """
        if not ops.is_tensor(items_of(inputs)):  # a tensor may have no values yet
            check_ids(self, x=inputs)
        with self.inferring():
            return self.output_table(self(inputs, training=False)[:, -1])

    def recommend(
        self,
        x: Data,
        k: int = 10,
        exclude_seen: bool = True,
        batch_size: int = 256,
        items: Any = None,
        at: Any = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Recommends the items with the highest next-item scores.

        The model reads only the last items of a history, as many as training sequences
        had, even if it has no `max_length`. A model that has not been trained reads the
        last `max_length` items, or all items if it has no `max_length`. `exclude_seen`
        leaves out the items of the whole history. A large catalogue is scored in parts,
        so that memory does not grow with it.

        Args:
            x: Item indices as for `call`; or a list of histories, oldest item first.
                Histories are lists of raw ids if the model has a vocabulary, otherwise
                of indices. Unknown items are skipped with a warning. For a model that
                takes more features, `x` is a dict, and its `"items"` have this form.
                Other features have one value for each item, in the same form as the
                items, or one for each history, `(batch,)`.
            k: Integer, number of items for each history. Defaults to `10`.
            exclude_seen: Boolean, whether to leave out the items of the history.
                Defaults to `True`.
            batch_size: Integer, number of histories that the model reads at a time.
                Defaults to `256`.
            items: The only items to choose from: a list of items for all histories,
                or one list for each history. Raw ids if `x` has raw ids, otherwise
                indices. An item that occurs twice counts once. Defaults to `None`, all
                items.
            at: The time of the request, for a model that takes `"next_timestamps"`: a
                number of seconds or a datetime, one for all histories or one for each
                history. `x` must then have `"timestamps"`: for every event but the
                last, they say when the next event happened. Defaults to `None`:
                `x["next_timestamps"]` if given, otherwise the time of the last event
                plus the median gap between the events of the history.

        Returns:
            A pair of arrays `(batch, k)`, best first: ids (raw ids if `x` has raw
            ids) and scores. Among equal scores the lower index comes first. If there
            are fewer than `k` items to choose from, the remaining ids are 0 (`None` for
            raw ids) and their scores are -inf.

        Raises:
            ArgumentError: If a history has no known item or, without a vocabulary, does
                not hold integers. If `items` is empty or has an unknown item. If `k` is
                not an integer from 1 to `num_items`. If `at` is before the last event
                of a history, or the model does not take `"next_timestamps"`.
            ValueError: If scores are NaN.
        """
        with self.lock.reading():
            return recommend(self, x, k, exclude_seen, batch_size, items, at)

    def similar_items(self, ids: Any, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """Finds the items most similar to given items.

        Similarity is the cosine between the vectors of two items in the input
        embedding. A vector of zeros has similarity 0 to every item.

        Args:
            ids: List or array of items: raw ids for a model with a vocabulary,
                otherwise indices.
            k: Integer, number of similar items for each of `ids`. Defaults to `10`.

        Returns:
            A pair of arrays `(len(ids), k)`, best first: ids (raw ids for a model with
            a vocabulary) and cosines. The item itself is left out. Among equal
            cosines the lower index comes first.

        Raises:
            ArgumentError: If an item is unknown, or `k` is not an integer from 1 to
                `num_items - 1`.
            ValueError: If embeddings are not finite.
        """
        with self.lock.reading():
            return similar_items(self, ids, k)

    def grow(
        self,
        method: str,
        num_blocks: int | None = None,
        top_blocks: int | None = None,
        cycle: int | None = None,
        inherit: str = "all",
        optimizer_state: str = "reset",
        seed: int | None = None,
    ) -> None:
        """Grows the model in place, and its optimizer with it.

        Args:
            method: String, a stacking method: see `stacking.block_sources`.
            num_blocks: Integer, the new depth. Defaults to twice the current depth.
                With `top_blocks`, the default adds that many blocks.
            top_blocks: Integer, how many of the top blocks to stack (not for
                `"from_scratch"`). Defaults to `None`, all blocks.
            cycle: Integer, the number of blocks after which the kinds of block repeat.
                Defaults to `None`: copies then keep the dilations of their sources.
                With `inherit="paper"` it defaults to 1, as in the reference
                implementation.
            inherit: `"all"` carries every weight that has a source, and the gate of a
                copy starts at 0. `"all_but_gates"` does the same, but all gates start
                at 0. `"paper"` carries what the reference implementation carries.
                Defaults to `"all"`.
            optimizer_state: `"carry"` moves the optimizer's state with the weights.
                `"reset"` resets its moments and step count, while the learning rate and
                its schedule continue. Defaults to `"reset"`.
            seed: Integer, for new random blocks. Defaults to `None`.

        Raises:
            ArgumentError: If an argument is invalid for this model, or if the state of
                its optimizer cannot grow. The model is then unchanged.
            ValueError: If the model has no `BlockStack`.

        Reference:
            [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
        """
        growth = Growth(method, top_blocks, cycle, inherit, optimizer_state, seed)
        grow(self, growth, num_blocks)

    def extend_items(
        self,
        n: int | None = None,
        init: str | None = None,
        ids: Sequence | None = None,
        features: Any = None,
    ) -> None:
        """Adds items to the catalogue in place. The optimizer's state grows with it.

        The new items' indices follow the existing ones. The scores of the existing
        items do not change.

        Args:
            n: Integer, how many items. Defaults to `None`, as many as there are `ids`.
            init: How the new items' vectors and biases are initialized. `"mean"` sets
                them to the mean of all items. `"random"` draws them with the mean and
                the standard deviation of each column. Defaults to `None`, which means
                `"mean"`, except in a model with item features: there, only the biases
                get the mean, and the vectors of the new ids start at 0, so that only
                the features count until the items are trained.
            ids: List of the new raw ids, for a model with a vocabulary. Defaults to
                `None`.
            features: The new items' features, for a model with item features: an array
                `(n, num_features)`; or, with `ids`, a frame indexed by raw id or a dict
                from raw id to vector. Columns are in the order of the model's features.
                Defaults to `None`.

        Raises:
            ArgumentError: If an argument is invalid. The model is then unchanged.

        Example:

        ```python
        model.extend_items(ids=new)
        model.fit(x, y)  # with new items in it
        ```
        """
        extend_items(self, n, init, ids, features)

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], object] | None = None,
        **kwargs,
    ) -> None:
        """Prints the table of layers, and below it a line for each stack of blocks.

        Args:
            line_length: As in `keras.Model.summary`. Defaults to `None`.
            positions: As in `keras.Model.summary`. Defaults to `None`.
            print_fn: Function that is called with the table, then with each line.
                Defaults to `None`, which prints.
            **kwargs: The other arguments of `keras.Model.summary`.
        """
        super().summary(line_length, positions, print_fn, **kwargs)
        for stack in block_stacks(self):
            (print_fn or print)(f" {stack.describe()}")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_items": self.num_items,
            "num_blocks": self.num_blocks,
            "tied": self.tied,
            "normalize": self.normalize,
            "temperature": self.temperature,
            "item_features": config_of(self.num_item_features),
            "feature_fusion": self.feature_fusion,
            "id_dropout": self.id_dropout,
        }


def _check_names(kind, arguments):
    """Checks that a constructor's other arguments belong to a Keras model."""
    known = inspect.signature(keras.layers.Layer.__init__).parameters
    for name, value in arguments.items():
        if name not in known:
            reason = f"is not an argument of {kind.__name__}"
            raise ArgumentError(name, reason, nearest_names(kind, [name]), value)
