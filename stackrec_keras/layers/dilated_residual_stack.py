from collections.abc import Sequence
from typing import Any

import keras
from keras import ops
from keras.initializers import Ones, TruncatedNormal, Zeros

from stackrec_keras.arguments import check_bools, check_integers
from stackrec_keras.layers.block_stack import BlockStack, BlockWeight
from stackrec_keras.layers.causal_convolution import (
    causal_convolution,
    has_fast_convolution,
)
from stackrec_keras.types import Context, Tensor

EPSILON = 1e-8


@keras.saving.register_keras_serializable(package="stackrec_keras")
class DilatedResidualStack(BlockStack):
    """NextItNet's residual blocks of dilated causal convolutions.

    A block computes `y = x + gate * relu(LN2(conv2(relu(LN1(conv1(x))))))`, where
    `conv1` has the block's dilation and `conv2` twice that. The gate is one learned
    number that starts at 0 (ReZero), so a new block is the identity.

    Args:
        depth: Integer, the number of blocks.
        dim: Integer, the width of the hidden states.
        kernel_size: Integer, the kernel size of both convolutions. Defaults to `3`.
        dilations: Sequence of integers. Block `i` has the dilation
            `dilations[i % len(dilations)]`. Defaults to `(1, 4)`.
        rezero: Boolean, whether blocks have the gate. Defaults to `True`.
        causal: Boolean, whether a position sees only earlier positions and itself.
            With `False`, each convolution reaches equally far back and ahead or, where
            that is impossible, one position further ahead than back. Defaults to
            `True`.
        **kwargs: The other arguments of `keras.layers.Layer`.

    Call arguments:
        x: Tensor of shape `(batch, time, dim)`.
        training: Ignored: blocks compute the same in training and inference.
        context: Ignored: padding is an input like any other.

    Returns:
        Tensor of shape `(batch, time, dim)`.

    Reference:
        [A Simple Convolutional Generative Network for Next Item Recommendation,
        WSDM 2019](https://arxiv.org/abs/1808.05163),
        [ReZero is All You Need, UAI 2021](https://arxiv.org/abs/2003.04887)
    """

    def __init__(
        self,
        depth: int,
        dim: int,
        kernel_size: int = 3,
        dilations: Sequence[int] = (1, 4),
        rezero: bool = True,
        causal: bool = True,
        **kwargs,
    ) -> None:
        super().__init__(depth, **kwargs)
        check_integers(dim=dim, kernel_size=kernel_size)
        check_bools(rezero=rezero, causal=causal)
        self.dim = dim
        self.kernel_size = kernel_size
        self.dilations = tuple(dilations)
        self.rezero = rezero
        self.causal = causal

    @property
    def cycle(self) -> int:  # type: ignore[override]
        return len(self.dilations)

    @property
    def scans(self) -> bool:  # type: ignore[override]
        # On a CPU, XLA's convolution is slow inside a scan.
        return not has_fast_convolution()

    @property
    def details(self) -> str:
        return f"dilations {', '.join(map(str, self.dilations))}"

    def block_weights(self) -> dict[str, BlockWeight]:
        kernel = BlockWeight(
            (self.kernel_size, self.dim, self.dim),
            lambda seed: TruncatedNormal(stddev=0.02, seed=seed),
            release_copies=True,
        )
        bias = BlockWeight((self.dim,), lambda seed: Zeros(), release_copies=True)
        scale = BlockWeight((self.dim,), lambda seed: Ones())
        shift = BlockWeight((self.dim,), lambda seed: Zeros())
        weights = {}
        for i in (1, 2):
            weights[f"kernel{i}"] = kernel
            weights[f"bias{i}"] = bias
            weights[f"norm{i}_scale"] = scale
            weights[f"norm{i}_shift"] = shift
        if self.rezero:
            weights["gate"] = BlockWeight((), lambda seed: Zeros(), gate=True)
        return weights

    def block(
        self,
        x: Tensor,
        weights: dict[str, Tensor],
        kind: int,
        training: bool | None,
        context: Context = None,
    ) -> Tensor:
        dilation = self.dilations[kind]
        h = x
        for i in (1, 2):
            h = self._convolve(
                h, weights[f"kernel{i}"], weights[f"bias{i}"], i * dilation
            )
            h = ops.layer_normalization(
                h,
                weights[f"norm{i}_scale"],
                weights[f"norm{i}_shift"],
                epsilon=EPSILON,
            )
            h = ops.relu(h)
        return x + (weights["gate"] * h if self.rezero else h)

    def _convolve(self, x, kernel, bias, dilation):
        if self.causal:
            return causal_convolution(x, kernel, bias, dilation)
        # Shifting the output of a causal convolution makes it see later positions.
        ahead = -(-(self.kernel_size - 1) * dilation // 2)
        longer = ops.pad(x, [[0, 0], [0, ahead], [0, 0]])
        return causal_convolution(longer, kernel, bias, dilation)[:, ahead:]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "dim": self.dim,
            "kernel_size": self.kernel_size,
            "dilations": list(self.dilations),
            "rezero": self.rezero,
            "causal": self.causal,
        }
