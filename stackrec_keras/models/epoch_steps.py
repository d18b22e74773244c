"""Epochs of one fit that differ in their number of batches."""

import weakref


class EpochSteps:
    """What a model adds to Keras' training loop so that each epoch of a fit may have
    its own number of batches.

    Keras asks the data for that number once, before the first epoch, and keeps it in
    the iterator over epochs, which it shows to no callback. But it does hand it to
    the model, to be built by its first batch.
    """

    _epoch_iterator = None

    @property
    def epoch_iterator(self):
        """Keras' iterator over the epochs of the fit that begins, or `None`."""
        return None if self._epoch_iterator is None else self._epoch_iterator()

    def _symbolic_build(self, iterator=None, data_batch=None):
        self._keep(iterator)
        super()._symbolic_build(iterator=iterator, data_batch=data_batch)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # TensorFlow's own step before the one above, which it may leave out.
        self._keep(iterator)
        super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)

    def _keep(self, iterator):
        if iterator is not None:
            # No more than a reference: the data would live as long as the model.
            self._epoch_iterator = weakref.ref(iterator)


def set_steps(epoch_iterator, num_batches):
    """Gives the epoch that is about to begin its number of batches."""
    epoch_iterator._num_batches = num_batches
