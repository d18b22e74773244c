import keras

from stackrec_keras.layers import DilatedResidualStack, Embedding
from stackrec_keras.models.sequential_recommender import (
    SequentialRecommender,
    check_integers,
)


@keras.saving.register_keras_serializable(package="stackrec_keras")
class NextItNet(SequentialRecommender):
    """Next-item recommender of dilated causal convolutions, of any depth.

    Args:
        num_items: Integer; item ids are 1..num_items, 0 is padding (on the left).
        embedding_dim: Integer, the width of embeddings and hidden states.
        num_blocks: Integer, residual blocks of two convolutions each. Where
            StackRec's release has `dilation_count` c, this is 2c.
        kernel_size: Integer, taps of each convolution.
        dilations: Sequence of integers. Block `i` takes `dilations[i % len]` in its
            first convolution and twice that in its second.
        rezero: Boolean, whether each block has a gate that starts at 0.
        **kwargs: `name`, `dtype` and the other arguments of a Keras model.

    Call arguments:
        inputs: Integer tensor of shape `(batch, time)`.
        training: Unused; the model computes the same in training.

    Returns:
        Hidden states, a tensor of shape `(batch, time, embedding_dim)`.

    Example:

    ```python
    model = sr.NextItNet(num_items=3706, num_blocks=4)
    model.compile()
    model.fit(x, y, epochs=7, callbacks=[sr.StackingCallback("stackC")])
    ids, scores = model.recommend(x, k=10)
    ```

    Reference:
        [A Simple Convolutional Generative Network for Next Item Recommendation,
        WSDM 2019](https://arxiv.org/abs/1808.05163)
    """

    def __init__(
        self,
        num_items,
        embedding_dim=64,
        num_blocks=8,
        kernel_size=3,
        dilations=(1, 4),
        rezero=True,
        **kwargs,
    ):
        check_integers(embedding_dim=embedding_dim, kernel_size=kernel_size)
        if not isinstance(dilations, (list, tuple)) or not dilations:
            raise ValueError(
                "dilations must be a list of at least one integer, such as (1, 4). "
                f"Received: dilations={dilations!r}"
            )
        for i, dilation in enumerate(dilations):
            check_integers(**{f"dilations[{i}]": dilation})
        super().__init__(num_items, embedding_dim, num_blocks, **kwargs)
        self.embedding_dim = int(embedding_dim)
        self.kernel_size = int(kernel_size)
        self.dilations = tuple(int(dilation) for dilation in dilations)
        self.rezero = rezero
        self.item_embedding = Embedding(
            self.num_items + 1,
            self.embedding_dim,
            embeddings_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
            dtype=self.dtype_policy,
            name="item_embedding",
        )
        self.item_embedding.build()
        self.stack = DilatedResidualStack(
            num_blocks,
            self.embedding_dim,
            self.kernel_size,
            self.dilations,
            rezero,
            dtype=self.dtype_policy,
            name="stack",
        )
        self.stack.build()
        self.build()

    def hidden_states(self, inputs, training):
        return self.stack(self.item_embedding(inputs), training=training)

    def get_config(self):
        return {
            **super().get_config(),
            "embedding_dim": self.embedding_dim,
            "kernel_size": self.kernel_size,
            "dilations": list(self.dilations),
            "rezero": self.rezero,
        }
