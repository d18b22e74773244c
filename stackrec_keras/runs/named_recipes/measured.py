"""What was measured for each recipe: test HR@10 and NDCG@10, seconds, and machine.

`python benchmarks/ml1m.py --table` prints the figures. A recipe that is missing here
has not been measured yet.
"""

MEASURED: dict[str, str] = {
    "sasrec-ml1m": "HR@10 .3152, NDCG@10 .1822 (one seed; 3,286 s on one core of a "
    "busy machine, TensorFlow with XLA)",
    "esasrec-ml1m": "HR@10 .3055, NDCG@10 .1722 with --epochs 40 --learning-rate 0.002 "
    "--decay 0.3 --group-by-length (one seed; 2,534 s on one core of a busy machine, "
    "TensorFlow with XLA)",
    "hstu-full-softmax-ml1m": "HR@10 .3775, NDCG@10 .2270 (one seed; 6,344 s on one "
    "core of a busy machine, TensorFlow with XLA)",
    "hstu-full-softmax-ml1m-grown": "HR@10 .3633, NDCG@10 .2188 with "
    "--optimizer-state carry (one seed; 4,613 s on one core of a busy machine, "
    "TensorFlow with XLA)",
}
