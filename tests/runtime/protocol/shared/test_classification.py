"""The classification extension: classes, their order, and their text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_runtime.protocol.shared.classification import classify


def test_the_highest_values_come_first_with_their_labels():
    scores = np.array([[0.25, 0.5, 0.25], [np.nan, -1.0, -np.inf]], np.float32)
    expected = [
        ["0.500000:1:yes", "0.250000:0:no", "0.250000:2"],
        ["-1.000000:1:yes", "nan:0:no", "-inf:2"],
    ]
    assert classify(scores, 9, ["no", "yes"]).tolist() == expected
    assert classify(scores, 2, ["no", "yes"]).tolist() == [row[:2] for row in expected]


def test_whole_numbers_are_written_without_a_fraction():
    values = np.array([3, 200, 200, 1], np.uint8)
    assert classify(values, 3).tolist() == ["200:1", "200:2", "3:0"]


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=9), st.integers(1, 12))
def test_the_order_is_that_of_a_stable_sort(values, count):
    for dtype in (np.int8, np.float16, np.float64):
        texts = classify(np.array(values, dtype), count).tolist()
        indices = [int(text.split(":")[1]) for text in texts]
        assert indices == sorted(range(len(values)), key=lambda index: -values[index])[:count]


def test_each_entry_of_the_first_dimension_is_one_row():
    values = np.arange(12, dtype=np.int64).reshape(2, 2, 3)
    assert classify(values, 1).tolist() == [["5:5"], ["11:5"]]
    assert classify(np.array(7), 1).tolist() == ["7:0"]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((0,), (0,)), ((0, 3), (0, 2)), ((2, 0), (2, 0)), ((0, 2, 2), (0, 2))],
)
def test_classes_of_empty_values_are_empty(shape, expected):
    assert classify(np.zeros(shape, np.float32), 2).shape == expected
