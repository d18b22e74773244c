"""What mypy checks: the public names have hints, and these are right. Never run."""

from typing import assert_type

import numpy as np

import stackrec_keras as sr

log = sr.data.read_interactions("clicks.csv", user="session", timestamp=None)
vocabulary = sr.data.Vocabulary.from_items(log["item"])
assert_type(vocabulary, sr.data.Vocabulary)
windows = sr.data.make_windows(log, vocabulary, length=20)
split = sr.data.split_random(windows, seed=1)
assert_type(split, sr.data.Split)
assert_type(split.train.batches(128, with_users=True), sr.data.Batches)
assert_type(split.test.evaluation_arrays(), tuple[np.ndarray, np.ndarray])
assert_type(split.train.batches(features=["items", "timestamps"]), sr.data.Batches)
sr.data.read_interactions("clicks.csv", columns=["price"])
sr.data.split_leave_one_out(sr.data.load("ml-1m"), vocabulary, 20)
sr.data.split_by_time(sr.data.synthetic(num_users=9), 20, test_start=3)
sr.data.read_sequences("rows.csv", user_column=True, pad=None)

model = sr.NextItNet(len(vocabulary), num_blocks=4, dilations=[1, 2])
sr.GRec(9, mask_rate=0.4, encoder=True)
sr.SASRec(9, 50, dropout=0.1, norm="pre", name="sasrec")
sr.SSEPT(9, 5, 50, user_noise=0.5).extend_users(2, init="random")
model.vocabulary = vocabulary
model.compile(loss=sr.losses.SampledSoftmax(0.1), metrics=[sr.metrics.MRR(20)])
sr.losses.FullSoftmax(chunk_size=100)
sr.losses.GBCE(256, t=0.5)
assert_type(sr.losses.get("auto"), sr.losses.CatalogueLoss)
assert_type(sr.metrics.get(["mrr@5"]), list[sr.metrics.RankingMetric])

pairs = sr.data.read_transfer("pairs.csv", vocabulary, pad=None, length=50)
parts = pairs.split(test_share=0.2, seed=1)
assert_type(parts, sr.data.TransferSplit)
assert_type(parts.train.batches(512, with_users=True), sr.data.Batches)
transfer = sr.TransferRecommender(model, parts.num_targets, name="transfer")
transfer.target_vocabulary = parts.target_vocabulary
loss = sr.losses.BinaryCrossEntropy(num_negatives=2)
ranks = [sr.metrics.SampledMRR(5, num_negatives=99), sr.metrics.SampledHitRate(5)]
transfer.compile(loss=loss, metrics=ranks)
transfer.fit(parts.train.batches(), callbacks=[sr.FreezeStack(epochs=2)])
transfer.extend_targets(1, ids=["tea"])
assert_type(transfer.recommend([["Dune"]], k=5), tuple[np.ndarray, np.ndarray])

schedule = sr.StackingSchedule.shares([4, 8], [1, 2])
assert_type(schedule, sr.StackingSchedule)
for growing in (None, {2: 8}, "plateau", schedule, sr.StackingSchedule({2: 8})):
    sr.StackingCallback("stackC", growing, top_blocks=None, inherit="paper")
sr.StackingCallback("stackC", sr.StackingSchedule.plateau(patience=3))
model.fit(split.train.batches(), epochs=7, callbacks=[sr.StackingCallback("stackC")])
model.evaluate(*split.test.evaluation_arrays(), return_dict=True)
model.grow("stackA", num_blocks=8, seed=1)
model.extend_items(1, ids=["Dune"])
model.summary(print_fn=print)
assert_type(model.num_blocks, int)
assert_type(sr.NextItNet(9).vocabulary, sr.data.Vocabulary | None)
assert_type(model.recommend([["Dune"]], k=5), tuple[np.ndarray, np.ndarray])
model.recommend([["Dune"]], items=["Alien", "Jaws"])
assert_type(model.similar_items(["Dune"], k=5), tuple[np.ndarray, np.ndarray])

assert_type(sr.stacking.block_sources("middle", 4, 8, cycle=2), list[int | None])
assert_type(sr.stacking.methods(), list[sr.stacking.StackingMethod])
sr.stacking.grow(model, sr.stacking.Growth("stackC", top_blocks=2), num_blocks=10)
sr.stacking.gates(model)
sr.stacking.block_similarity(model)
sr.plot.history({"loss": [1.0]}, "curve.png", metric="loss").savefig("curve.svg")
sr.plot.quality_vs_time({"grown": {"seconds": [1.0]}}, path=None).savefig("time.svg")
sr.plot.growth_plan([0, 1, None], old=2).savefig("plan.svg")
sr.plot.gates(model, path=None).savefig("gates.svg")
sr.plot.block_similarity(model).savefig("similarity.svg")
space = sr.tuning.SearchSpace(growths=sr.tuning.Choice(1, 2))
sr.tuning.StackingHyperModel(sr.NextItNet, split, epochs=3, space=space, seed=1)
weights = sr.convert.read_checkpoint("model.ckpt")
sr.convert.load_stackrec_weights(model, weights)
sr.convert.build_stackrec_model("nextitnet", weights).summary()

sr.FreezeStack("two")  # type: ignore[arg-type]
sr.TransferRecommender(model, num_targets="many")  # type: ignore[arg-type]
model.grow(8)  # type: ignore[arg-type]
sr.NextItNet("many")  # type: ignore[arg-type]
sr.StackingCallback("stackC", [2, 8])  # type: ignore[arg-type]
