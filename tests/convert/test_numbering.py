"""Checkpoints with the file of sequences on which they were trained."""

import keras
import numpy as np
import pytest
from refusals import refused

import stackrec_keras as sr
from stackrec_keras.convert.numbering import reference_numbering

ROWS = 50  # of the goldens' item tables


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("name", ["nextitnet", "sasrec", "ssept"])
def test_items_are_known_by_their_ids(golden, tmp_path, name, ragged):
    weights, arguments = _checkpoint(golden, name)
    tf1, with_users = name == "nextitnet", name == "ssept"
    # Where it can, the reference implementation counts padding among the items.
    of_file = tf1 or not ragged
    rows = _sequences(ROWS - 1 - of_file, 0 if ragged else 11)
    path = _write(tmp_path, rows, with_users)
    model = sr.convert.build_stackrec_model(
        name, weights, path, user_column=with_users, **arguments
    )
    plain = sr.convert.build_stackrec_model(name, weights, **arguments)
    numbers = _reference_numbers(rows, fill="0" if tf1 else None)
    ids = [text for text in numbers if text not in ("0", None)]
    assert model.num_items == len(ids) == len(model.vocabulary)
    assert model.vocabulary.ids.tolist() == [int(text) for text in ids]
    assert model.trained_length == 10
    history = ids[3:9]
    padded = ["0" if of_file else None] * 4 + history
    reference = _scores(plain, [[numbers[text] for text in padded]], with_users)
    ours = _scores(
        model, [model.vocabulary.encode([0] * 4 + _ints(history))], with_users
    )
    np.testing.assert_allclose(
        ours[0, 1:], reference[0, [numbers[text] for text in ids]], rtol=1e-5, atol=1e-6
    )
    x = [_ints(history)]
    x = {"items": x, "users": np.array([0])} if with_users else x
    best, _ = model.recommend(x, 1, exclude_seen=False)
    assert best[0, 0] == int(ids[int(np.argmax(ours[0, 1:]))])


def test_counts_are_those_of_the_file(golden, tmp_path):
    weights, arguments = _checkpoint(golden, "sasrec")
    rows = _sequences(ROWS - 2, 11)
    path = _write(tmp_path, rows, False)
    model = sr.convert.build_stackrec_model("sasrec", weights, path, **arguments)
    _, expected = sr.data.read_sequences(path)
    order = model.vocabulary.encode(expected.ids) - 1
    np.testing.assert_array_equal(model.vocabulary.counts[order], expected.counts)


def test_padding_by_the_reference_itself_comes_before_that_of_the_file(tmp_path):
    # Its SASRec fills shorter rows with an index of its own, whatever the file has.
    path = tmp_path / "sequences.csv"
    path.write_text("0,7,8\n9,7\n")
    numbering = reference_numbering(path, fills_with_pad=False)
    assert numbering.rows.tolist() == [0, 2, 3, 4]
    assert numbering.vocabulary.ids.tolist() == [7, 8, 9]
    assert reference_numbering(path).rows.tolist() == [1, 2, 3, 4]


def test_another_file_is_refused(golden, tmp_path):
    weights, _ = _checkpoint(golden, "nextitnet")
    path = _write(tmp_path, _sequences(30, 11), False)
    with refused("sequences", says="needs 32 rows.*has 50"):
        sr.convert.build_stackrec_model("nextitnet", weights, path)


def test_a_converted_model_can_be_trained_and_grown(golden, tmp_path):
    weights, _ = _checkpoint(golden, "nextitnet")
    path = _write(tmp_path, _sequences(ROWS - 2, 11), False)
    model = sr.convert.build_stackrec_model("nextitnet", weights, path)
    windows, vocabulary = sr.data.read_sequences(path)
    ours = model.vocabulary.encode(vocabulary.ids)
    items = np.r_[0, ours][windows.items]
    model.grow("stackC")
    history = model.fit(items[:, :-1], items[:, 1:], epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]


def _checkpoint(golden, name):
    file = {"nextitnet": "nextitnet_tf1", "sasrec": "sasrec_torch_h1"}
    arrays, _ = golden(file.get(name, "ssept_torch_h2"))
    weights = {
        key.removeprefix("var/"): array
        for key, array in arrays.items()
        if key.startswith("var/")
    }
    return weights, {"num_heads": 2} if name == "ssept" else {}


def _sequences(num_items, width):
    """Rows of texts in which ids 101 to 100 + `num_items` are, in no order, padded
    on the left to `width`; the first row is full, and no row exceeds 11."""
    rng = np.random.default_rng(1)
    ids = rng.permutation(np.arange(101, 101 + num_items)).tolist()
    rows, size = [], 11
    while ids:
        rows.append([str(item) for item in ids[:size]])
        ids, size = ids[size:], 4
    rows.append([rows[0][3], rows[1][0]])
    return [["0"] * (width - len(row)) + row for row in rows]


def _write(folder, rows, with_users):
    path = folder / "sequences.csv"
    users = [[str(7 + i)] if with_users else [] for i in range(len(rows))]
    lines = [",".join([*u, *row]) for u, row in zip(users, rows, strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


def _reference_numbers(rows, fill):
    width = max(map(len, rows))
    numbers = {} if fill else {None: 0}
    for row in rows:
        filled = [fill] * (width - len(row)) + row
        for text in filled:
            if text not in numbers:
                numbers[text] = len(numbers) + (1 if fill else 0)
    return numbers


def _ints(texts):
    return [int(text) for text in texts]


def _scores(model, items, with_users):
    items = np.asarray(items, "int32")
    x = {"items": items, "users": np.zeros(1, "int32")} if with_users else items
    return keras.ops.convert_to_numpy(model.score(x))
