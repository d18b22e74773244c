from collections.abc import Iterable, Sequence
from typing import Any

import keras

from stackrec_keras.arguments import check_bools, check_integers
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers import DilatedResidualStack
from stackrec_keras.models.inputs import Features
from stackrec_keras.models.sequential_recommender import SequentialRecommender
from stackrec_keras.types import Tensor


class ConvolutionalRecommender(SequentialRecommender):
    """Base class of the models that use a `DilatedResidualStack`.

    A subclass ends its constructor with `self.build()`.

    Args:
        num_items: Integer; item ids are 1..num_items, 0 is padding (on the left).
        embedding_dim: Integer, the width of embeddings and hidden states.
        num_blocks: Integer, number of residual blocks of two convolutions each.
        kernel_size: Integer, the kernel size of each convolution.
        dilations: Sequence of integers, the dilations that the blocks take in turn.
        rezero: Boolean, whether each block has a gate that starts at 0.
        **kwargs: The other arguments of `SequentialRecommender`.
    """

    def __init__(
        self,
        num_items: int,
        embedding_dim: int,
        num_blocks: int,
        kernel_size: int,
        dilations: Sequence[int],
        rezero: bool,
        **kwargs,
    ) -> None:
        check_integers(embedding_dim=embedding_dim, kernel_size=kernel_size)
        check_bools(rezero=rezero)
        each = tuple(dilations) if isinstance(dilations, Iterable) else ()
        if not each:
            reason = "must be a list of at least one integer"
            fix = "Give the dilations that the blocks take in turn, such as (1, 4)."
            raise ArgumentError("dilations", reason, fix, dilations)
        for i, dilation in enumerate(each):
            check_integers(**{f"dilations[{i}]": dilation})
        super().__init__(num_items, embedding_dim, num_blocks, **kwargs)
        self.embedding_dim = int(embedding_dim)
        self.kernel_size = int(kernel_size)
        self.dilations = tuple(int(dilation) for dilation in each)
        self.rezero = bool(rezero)
        self.item_embedding = self.new_item_embedding(
            self.embedding_dim, keras.initializers.TruncatedNormal(stddev=0.02)
        )
        self.stack = self._new_stack("stack", causal=True)

    def hidden_states(self, features: Features, training: bool | None) -> Tensor:
        x = self.item_embedding(features["items"])
        return self.stack(x, training=training, context=features)

    def _new_stack(self, name, causal):
        stack = DilatedResidualStack(
            self.initial_blocks,
            self.embedding_dim,
            self.kernel_size,
            self.dilations,
            self.rezero,
            causal,
            dtype=self.dtype_policy,
            name=name,
        )
        stack.build((None, None, self.embedding_dim))
        return stack

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "embedding_dim": self.embedding_dim,
            "kernel_size": self.kernel_size,
            "dilations": list(self.dilations),
            "rezero": self.rezero,
        }
