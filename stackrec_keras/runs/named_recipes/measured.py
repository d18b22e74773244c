"""What the recipes reached: test HR@10 and NDCG@10, seconds and machine.

`python benchmarks/ml1m.py --table` prints the figures. A recipe that is missing here
has not been measured yet.
"""

MEASURED: dict[str, str] = {}
