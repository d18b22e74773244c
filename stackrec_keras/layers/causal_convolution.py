import keras
from keras import ops

from stackrec_keras.layers.tracing import in_plain_graph


def causal_convolution(x, kernel, bias, dilation):
    """Dilated causal convolution over time, in the form that is fastest on the backend.

    Position `t` of the output sees positions `t`, `t - dilation`, ...,
    `t - (kernel_size - 1) * dilation` of the input. The input is taken to be
    zero before its first position.

    Args:
        x: Tensor of shape `(batch, time, in_dim)`.
        kernel: Tensor of shape `(kernel_size, in_dim, out_dim)`. Its last matrix
            multiplies position `t`.
        bias: Tensor of shape `(out_dim,)`.
        dilation: Integer, the distance between the input positions seen, at least 1.

    Returns:
        Tensor of shape `(batch, time, out_dim)`.
    """
    convolve = _convolution if has_fast_convolution() else _sum_of_products
    return convolve(x, kernel, dilation) + bias


def has_fast_convolution():
    """Returns whether the backend's own convolution is faster than matrix products.

    benchmarks/convolution_forms.py measures both on each backend. JAX uses matrix
    products on a GPU, where XLA takes a long time to choose an algorithm for each
    convolution of a model.
    """
    if keras.backend.backend() == "jax":
        return keras.distribution.list_devices()[0].startswith("cpu")
    return in_plain_graph()


def _convolution(x, kernel, dilation):
    past = (kernel.shape[0] - 1) * dilation
    return ops.conv(
        ops.pad(x, [[0, 0], [past, 0], [0, 0]]),
        kernel,
        padding="valid",
        data_format="channels_last",  # whatever keras.config says about images
        dilation_rate=dilation,
    )


def _sum_of_products(x, kernel, dilation):
    # Each matrix of the kernel multiplies only the positions that it reaches. If the
    # dilation is long and the sequence is short, these are few.
    time, last = x.shape[1], kernel.shape[0] - 1
    y = ops.matmul(x, kernel[last])
    for i in range(last):
        shift = (last - i) * dilation
        padding = [[0, 0], [shift, 0], [0, 0]]
        if time is None:
            shifted = ops.pad(x, padding)[:, : ops.shape(x)[1]]
            y = y + ops.matmul(shifted, kernel[i])
        elif shift < time:
            y = y + ops.pad(ops.matmul(x[:, :-shift], kernel[i]), padding)
    return y
