import keras

from stackrec_keras.types import Tensor


class Scorer(keras.Model):
    """A model whose `call` gives next-item scores: what `export` writes.

    Args:
        model: A `SequentialRecommender`.
    """

    def __init__(self, model: keras.Model) -> None:
        super().__init__(name=model.name)
        self.model = model
        # A program that projected all features at each request would be slow.
        self.output_table = model.output_table.without_features()
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        hidden = self.model(inputs, training=False)
        return self.output_table(hidden[:, -1])
