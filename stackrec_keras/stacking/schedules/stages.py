from collections.abc import Sequence
from itertools import accumulate

from stackrec_keras.errors import ArgumentError


def stages(
    num_blocks: Sequence[int], shares: Sequence[float], epochs: int
) -> dict[int, int]:
    """Returns the epochs at which the stages of a fit start.

    Args:
        num_blocks: List of integers, the depth of each stage.
        shares: List of positive numbers, the length of each stage relative to the
            others.
        epochs: Integer, the number of epochs of the fit.

    Returns:
        A dict from the first epoch of each stage to the depth of the stage. It leaves
        out the first stage. No stage is shorter than an epoch.
    """
    if epochs < len(shares):
        raise ArgumentError(
            "epochs",
            f"is too few for the {len(shares)} stages of the schedule "
            f"({' -> '.join(map(str, num_blocks))} blocks)",
            f"Fit for at least {len(shares)} epochs, or give fewer stages.",
            epochs,
        )
    total, table, previous = sum(shares), {}, 0
    last = epochs - len(shares) + 1
    for i, (start, depth) in enumerate(zip(accumulate(shares), num_blocks[1:])):
        # -(-a // b) is a / b rounded up, exactly.
        epoch = min(max(int(-(-epochs * start // total)), previous + 1), last + i)
        table[epoch] = depth
        previous = epoch
    return table
