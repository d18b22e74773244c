"""A run that fine-tunes a model of source items on target items."""

from dataclasses import dataclass

import keras
import numpy as np

from stackrec_keras.data import Vocabulary
from stackrec_keras.metrics import SampledHitRate, SampledMRR, default_metrics
from stackrec_keras.models import TransferRecommender
from stackrec_keras.runs.architectures import build_model
from stackrec_keras.runs.devices import on_devices
from stackrec_keras.runs.folder import RunFolder
from stackrec_keras.runs.training import (
    compile_model,
    read_anywhere,
    train_model,
    training_loss,
)


@dataclass(frozen=True)
class FineTuning:
    """Fine-tunes a model on a `TransferSplit`. Call it as you call `train_split`.

    Args:
        source_split: The `Split` of the source items.
        source_run: The `RunFolder` of the run that was pre-trained on it. Defaults to
            `None`: no pre-training.
    """

    source_split: object
    source_run: RunFolder | None = None

    def __call__(self, split, config, folder, resume=False):
        with on_devices(config.devices) as are_several:
            model = self.model(split, config)
            run = train_model(model, split, config, folder, resume)
        return read_anywhere(run) if are_several else run

    def model(self, split, config):
        """Returns the compiled model."""
        keras.utils.set_random_seed(config.seed)
        regularizer = None
        if config.loss == "binary_cross_entropy":
            regularizer = keras.regularizers.L2(0.01)
        model = TransferRecommender(
            self._source(config), split.num_targets, target_regularizer=regularizer
        )
        counts = np.bincount(split.train.targets, minlength=split.num_targets + 1)[1:]
        model.target_vocabulary = Vocabulary(split.target_vocabulary.ids, counts)
        metrics = [*default_metrics(), SampledMRR(5), SampledHitRate(5)]
        loss = training_loss(config)
        compile_model(model, config, loss=loss, metrics=metrics)
        return model

    def _source(self, config):
        if self.source_run is not None:
            return self.source_run.read_model()
        model = build_model(config, self.source_split)
        model.vocabulary = self.source_split.vocabulary
        return model
