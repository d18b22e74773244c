from collections.abc import Sequence

import keras

from stackrec_keras.models.convolutional_recommender import ConvolutionalRecommender


@keras.saving.register_keras_serializable(package="stackrec_keras")
class NextItNet(ConvolutionalRecommender):
    """Next-item recommender with dilated causal convolutions, of any depth.

    Args:
        num_items: Integer; item ids are 1..num_items, 0 is padding (on the left).
        embedding_dim: Integer, the width of embeddings and hidden states. Defaults to
            `64`.
        num_blocks: Integer, number of residual blocks, each with two convolutions. The
            reference implementation's `dilation_count` is half of this number. Defaults
            to `8`.
        kernel_size: Integer, the kernel size of each convolution. Defaults to `3`.
        dilations: Sequence of integers. Block `i` takes `dilations[i % len]` in its
            first convolution and twice that in its second. Defaults to `(1, 4)`.
        rezero: Boolean, whether each block has a gate that starts at 0. Defaults to
            `True`.
        **kwargs: `tied`, `normalize`, `temperature`, `item_features`, `feature_fusion`
            and `id_dropout` (see `SequentialRecommender`); `name`, `dtype` and the
            other arguments of a Keras model.

    Call arguments:
        inputs: Integer tensor of shape `(batch, time)`.
        training: Unused: the model computes the same in training and inference.

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
        num_items: int,
        embedding_dim: int = 64,
        num_blocks: int = 8,
        kernel_size: int = 3,
        dilations: Sequence[int] = (1, 4),
        rezero: bool = True,
        **kwargs,
    ) -> None:
        super().__init__(
            num_items,
            embedding_dim,
            num_blocks,
            kernel_size,
            dilations,
            rezero,
            **kwargs,
        )
        self.build()
