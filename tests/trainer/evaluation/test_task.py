"""The task of labels."""

import pytest

from perennial_trainer.evaluation.task import Task, make_task


def test_the_last_of_two_labels_is_positive_by_default():
    assert make_task(["0", "1"], None).positive == "1"
    assert make_task(["10", "9"], None) == Task(["9", "10"], "10")
    assert make_task(["late", "early"], "early").positive == "early"
    assert make_task(["a", "b", "c"], "a").positive is None
    with pytest.raises(ValueError, match="one of the labels 0, 1, got 'x'"):
        make_task([0, 1], "x")
