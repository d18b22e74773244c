"""In which order the callbacks of a fit run."""

from keras.callbacks import (
    BackupAndRestore,
    Callback,
    ReduceLROnPlateau,
    SwapEMAWeights,
)

from stackrec_keras.stacking import StackingCallback


def in_order(callbacks):
    """Returns the callbacks of a fit in the order that they must run in.

    `StackingCallback` goes first: what another callback stores at the end of an
    epoch has to hold the state of the schedule, and its log keys. A backup goes
    before `SwapEMAWeights`: a run goes on from its weights, not from their averages.
    """
    callbacks = sorted(callbacks, key=lambda c: not isinstance(c, StackingCallback))
    swaps = [c for c in callbacks if isinstance(c, SwapEMAWeights) and c.swap_on_epoch]
    if not swaps:
        return callbacks
    first = callbacks.index(swaps[0])
    before, after = callbacks[:first], callbacks[first:]
    # A backup holds the learning rate that the epoch left.
    early = [c for c in after if isinstance(c, (BackupAndRestore, ReduceLROnPlateau))]
    late = [c for c in after if c not in early]
    return [_SwapBack(swaps), *before, *early, *late]


class _SwapBack(Callback):
    """Takes the averages out of the model before another callback grows or thaws it,
    as `SwapEMAWeights` itself would do a moment later."""

    def __init__(self, swaps):
        super().__init__()
        self.swaps = swaps

    def on_epoch_begin(self, epoch, logs=None):
        for swap in self.swaps:
            swap.on_epoch_begin(epoch, logs)
