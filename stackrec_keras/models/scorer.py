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
        # Stores the vectors of all items, so that no request has to project features.
        self.output_table = model.output_table.without_features()
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        hidden = self.model(inputs, training=False)
        return self.output_table(hidden[:, -1])
