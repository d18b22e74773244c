"""`StepClock` as a Keras callback."""

import keras
from step_clock import StepClock


class KerasClock(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.clock = StepClock()

    def on_train_batch_begin(self, batch, logs=None):
        self.clock()

    def on_train_batch_end(self, batch, logs=None):
        float(logs["loss"])  # waits for the end of the step
