"""How fast is a training step of a deep, wide model, and what part of the peak is it?

    KERAS_BACKEND=jax python benchmarks/gpu_step.py
    KERAS_BACKEND=torch python benchmarks/gpu_step.py --models sasrec --compile

Trains on random items and prints tokens per second, a token being a position with a
target. The peak is measured, not looked up: it is the rate of a product of two large
square matrices of the same dtype. A step counts with the operations of its matrix
products and convolutions, and of the attention, all three times: once in the forward
pass, twice in the backward pass. Element-wise work counts as nothing, so 100% cannot be
reached.

The default is meant for one large GPU, where it takes a few minutes. Try the script
anywhere with

    python benchmarks/gpu_step.py --blocks 2 --width 8 --length 8 --items 50 \\
        --batch 4 --square 64 --steps 2
"""

import argparse
import statistics
import time

import keras
import numpy as np

import stackrec_keras as sr
from stackrec_keras.stacking.growth import block_stacks

MODELS = {
    "sasrec": lambda items, length, **options: sr.SASRec(
        items, length, norm="pre", **options
    ),
    "hstu": lambda items, length, **options: sr.HSTU(
        items, length, time_bias=False, rezero=True, **options
    ),
    "nextitnet": lambda items, length, **options: sr.NextItNet(items, **options),
}


def main(argv=None):
    arguments = parsed(argv)
    keras.config.set_dtype_policy(arguments.dtype)
    peak = matmul_rate(arguments.square, arguments.steps)
    backend = keras.backend.backend()
    print(f"{backend}, {arguments.dtype}: peak {peak / 1e12:.4g} TFLOP/s")
    for name in arguments.models:
        model = build(name, arguments)
        first, seconds = step_seconds(model, arguments)
        tokens = arguments.batch * arguments.length
        rate = tokens * operations_per_token(model, arguments.length) / seconds
        print(
            f"{name}: {seconds:.4f} s per step, {tokens / seconds:,.0f} tokens per "
            f"second, {rate / peak:.1%} of the peak; the first step took {first:.1f} s"
        )


def parsed(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    models = tuple(MODELS)
    parser.add_argument("--models", nargs="+", choices=models, default=models)
    parser.add_argument("--blocks", type=int, default=64)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--length", type=int, default=200)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--dtype", default="mixed_bfloat16")
    parser.add_argument("--chunk", type=int, default=1024, help="items scored at once")
    parser.add_argument("--compile", action="store_true", help="set jit_compile=True")
    parser.add_argument("--square", type=int, default=8192, help="for the peak")
    parser.add_argument("--steps", type=int, default=20)
    return parser.parse_args(argv)


def build(name, arguments):
    model = MODELS[name](
        arguments.items,
        arguments.length,
        embedding_dim=arguments.width,
        num_blocks=arguments.blocks,
    )
    model.compile(
        loss=sr.losses.FullSoftmax(chunk_size=arguments.chunk),
        jit_compile=arguments.compile or "auto",
    )
    return model


def step_seconds(model, arguments):
    """Returns the seconds of the first step, and the median of the others."""
    rng = np.random.default_rng(0)
    shape = (arguments.batch, arguments.length + 1)
    items = rng.integers(1, arguments.items + 1, shape, dtype="int32")
    seconds = []
    for _ in range(arguments.steps + 1):
        start = time.perf_counter()
        # The loss comes back as a number, so the step has ended.
        model.train_on_batch(items[:, :-1], items[:, 1:])
        seconds.append(time.perf_counter() - start)
    return seconds[0], statistics.median(seconds[1:])


def operations_per_token(model, length):
    """Returns the floating-point operations of a training step for each position."""
    stack = block_stacks(model)[0]
    kernels = [v for v in stack.trainable_variables if len(v.shape) >= 3]
    weights = sum(int(np.prod(kernel.shape)) for kernel in kernels)
    width = model.output_table.dim
    weights += (model.num_items + 1) * width
    attention = 2 * model.num_blocks * length * width
    if isinstance(model, sr.NextItNet):
        attention = 0
    return 3 * 2 * (weights + attention)


def matmul_rate(size, repeats):
    """Returns the operations per second of a product of two square matrices."""
    dtype = keras.config.dtype_policy().compute_dtype
    matrix = keras.random.normal((size, size), dtype=dtype, seed=0) / size**0.5
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        product = keras.ops.matmul(matrix, matrix)
        # Reading one number waits for the whole product.
        float(keras.ops.cast(product[0, 0], "float32"))
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / statistics.median(seconds[1:])


if __name__ == "__main__":
    main()
