"""Does the same seed give the same bits again?

    KERAS_BACKEND=torch python benchmarks/torture_seeds.py

Trains each architecture with `sr.runs.train`, growing twice, with dropout and sampled
negatives where it has them, in two processes. Weights, the optimizer's state, the
history and the results must be the same, to the bit.
"""

import argparse
import hashlib
import json
import subprocess
import sys

from torture import report

ARCHITECTURES = ("nextitnet", "grec", "sasrec", "ssept", "hstu", "esasrec")
LOSSES = ("full_softmax", "sampled_softmax")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=1, help="of each model and loss")
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.train:
        print(json.dumps(train_all(arguments.seeds)))
        return
    command = [sys.executable, "-W", "ignore", __file__, "--train"]
    command += ["--seeds", str(arguments.seeds)]
    first, second = (_digests(command) for _ in range(2))
    failures = [name for name in first if first[name] != second[name]]
    report("determinism", len(first), failures)


def _digests(command):
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def train_all(seeds):
    """Returns a dict from the name of a case to the digest of what came out."""
    cases = [(m, o, s) for m in ARCHITECTURES for o in LOSSES for s in range(seeds)]
    return {" ".join(map(str, case)): _digest(*case) for case in cases}


def _digest(model, loss, seed):
    from keras import ops

    import stackrec_keras as sr

    config = sr.runs.TrainConfig(
        data="synthetic",
        model=model,
        loss=loss,
        seed=seed,
        length=12,
        embedding_dim=8,
        num_blocks=1,
        schedule="1:2,2:4",
        method="stackR",
        epochs=3,
        batch_size=256,
    )
    run = sr.runs.train(_small(config))
    digest = hashlib.sha256()
    for variable in [*run.model.weights, *run.model.optimizer.variables]:
        digest.update(ops.convert_to_numpy(variable).tobytes())
    kept = {n: v for n, v in run.history.items() if not n.endswith("seconds")}
    digest.update(json.dumps([kept, run.results]).encode())
    return digest.hexdigest()


def _small(config):
    """Returns a configuration that reads 300 users of the synthetic log."""
    import tempfile
    from dataclasses import replace
    from pathlib import Path

    import stackrec_keras as sr

    path = Path(tempfile.gettempdir()) / "torture_seeds.csv"
    log = sr.data.synthetic(num_users=300, num_items=60, events_per_user=25, seed=0)
    log.to_csv(path, index=False)
    return replace(config, data=str(path))


if __name__ == "__main__":
    main()
