import pytest

from stackrec_keras.data import (
    Vocabulary,
    make_windows,
    read_interactions,
    read_sequences,
    read_transfer,
)
from stackrec_keras.errors import StackRecWarning

FRAME = {"user": [1, 1], "item": [1, 2], "timestamp": [1, 2]}
KNOWN = Vocabulary([1])


@pytest.mark.parametrize(
    "call",
    [
        lambda path: make_windows(read_interactions(FRAME), KNOWN, 2),
        lambda path: read_interactions({**FRAME, "item": [2.0**60, 1]}),
        lambda path: read_interactions({**FRAME, "timestamp": [2.0**60, 1]}),
        lambda path: read_interactions(
            write(path, "user,item\nu,a\nu,b\r\n"), timestamp=None
        ),
        lambda path: read_sequences(write(path, "0,1,2,3\n5,6,7,8\n")),
        lambda path: read_transfer(write(path, "1,5,,2\n"), source_vocabulary=KNOWN),
        lambda path: read_transfer(write(path, "1,,1,2\n"), target_vocabulary=KNOWN),
    ],
    ids=["items", "ids", "times", "line ends", "header", "source", "target"],
)
def test_a_warning_points_to_the_line_of_the_caller(tmp_path, call):
    with pytest.warns(StackRecWarning) as caught:
        call(tmp_path / "log.csv")
    assert [warning.filename for warning in caught] == [__file__]


def write(path, text):
    path.write_bytes(text.encode())
    return path
