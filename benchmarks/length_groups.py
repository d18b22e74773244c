"""How much time does it save to group rows by length?

    KERAS_BACKEND=tensorflow python benchmarks/length_groups.py --model hstu

Trains on MovieLens-1M, one row of at most 200 items per user, and evaluates each user's
last item. Epochs and evaluations with and without `group_by_length` take turns, after
one of each that compiles. The script prints a line for each of the two: the ratio of
the medians of the processor time, and the smallest and largest ratio of neighbours. Let
the backend use one thread.
"""

import argparse
import statistics
import time

import keras

import stackrec_keras as sr

MODELS = {
    "sasrec": lambda items: sr.SASRec(items, 200, dropout=0.1, padding_mask=True),
    "esasrec": lambda items: sr.ESASRec(items, 200),
    "hstu": lambda items: sr.HSTU(items, 200),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", choices=tuple(MODELS), default="hstu")
    parser.add_argument("--users", type=int, help="use only so many rows")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    split = sr.data.split_leave_one_out(
        sr.data.load("ml-1m"), None, length=201, newest_only=True
    )
    model = MODELS[arguments.model](len(split.vocabulary))
    on_tensorflow = keras.backend.backend() == "tensorflow"
    model.compile(jit_compile=True if on_tensorflow else "auto", exclude_seen=True)
    work = {
        "training": (split.train, model.fit),
        "evaluation": (split.test, model.evaluate),
    }
    for name, (windows, run) in work.items():
        windows = windows.subset(slice(arguments.users))
        plain, grouped = (
            windows.batches(
                128,
                features=model.features,
                evaluation=name == "evaluation",
                group_by_length=group,
            )
            for group in (False, True)
        )
        pairs = [
            (seconds(run, plain), seconds(run, grouped))
            for _ in range(arguments.repeats + 1)
        ][1:]
        print(described(name, pairs))


def seconds(run, batches):
    # Processor time: other programs on the machine hardly change it.
    start = time.process_time()
    run(batches, verbose=0)
    return time.process_time() - start


def described(name, pairs):
    plain, grouped = map(statistics.median, zip(*pairs))
    ratios = [a / b for a, b in pairs]
    return (
        f"{name}: {plain:.1f} s, grouped {grouped:.1f} s, ratio {plain / grouped:.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
