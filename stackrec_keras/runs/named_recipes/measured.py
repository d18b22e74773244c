"""What the recipes reached: test HR@10 and NDCG@10, seconds and machine.

`python benchmarks/ml1m.py --table` prints the figures. A recipe that is missing here
has not been measured yet.
"""

MEASURED: dict[str, str] = {
    "sasrec-ml1m": "HR@10 .3078, NDCG@10 .1782 (one seed; 59 epochs in 3,552 s on one "
    "core of a shared machine, TensorFlow with XLA)",
}
