"""The order in which the callbacks of a fit run."""

from keras.callbacks import (
    BackupAndRestore,
    Callback,
    ReduceLROnPlateau,
    SwapEMAWeights,
)

from stackrec_keras.stacking import StackingCallback


def sort_callbacks(callbacks):
    """Returns the callbacks of a fit in the order in which they must run.

    `StackingCallback` comes first, because what other callbacks store at the end of an
    epoch must include the schedule's state and log keys. `BackupAndRestore` comes
    before `SwapEMAWeights`, because a run resumes from the weights, not from their
    averages.
    """
    callbacks = sorted(callbacks, key=lambda c: not isinstance(c, StackingCallback))
    swaps = [c for c in callbacks if isinstance(c, SwapEMAWeights) and c.swap_on_epoch]
    if not swaps:
        return callbacks
    first = callbacks.index(swaps[0])
    before, after = callbacks[:first], callbacks[first:]
    # A backup must hold the learning rate that ReduceLROnPlateau has set.
    early = [c for c in after if isinstance(c, (BackupAndRestore, ReduceLROnPlateau))]
    late = [c for c in after if c not in early]
    return [_SwapBack(swaps), *before, *early, *late]


class _SwapBack(Callback):
    """Takes the averages out of the model before other callbacks grow or unfreeze it.
    (`SwapEMAWeights` itself would take them out too late.)"""

    def __init__(self, swaps):
        super().__init__()
        self.swaps = swaps

    def on_epoch_begin(self, epoch, logs=None):
        for swap in self.swaps:
            swap.on_epoch_begin(epoch, logs)
