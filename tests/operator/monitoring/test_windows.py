from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.worlds import DIGEST, NOW, OTHER_DIGEST

from perennial_contracts.wire.counters import CaptureCounts, Counters
from perennial_operator.monitoring.targets import Target
from perennial_operator.monitoring.windows import JudgedWindows, Observation
from perennial_operator.objects import Key

KEY = Key("default", "delays")


TARGET = Target("delays", "abc", DIGEST, 60.0)


def counters(instance: str = "a", rows: int = 0, digest: str = DIGEST, **more: Any) -> Counters:
    return Counters(
        instance=instance,
        digest=digest,
        rows=rows,
        features={"x": [rows, 0, 0]},
        score=[rows, 0, 0],
        label=[rows, 0, 0, 0],
        **more,
    )


def read(*rounds: list[Counters]) -> Observation:
    seen = Observation.begin(DIGEST, NOW)
    for readings in rounds:
        seen = seen.add(readings)
    return seen


def test_counts_before_the_first_reading_belong_to_no_window() -> None:
    assert read([counters(rows=100)]).predictions.rows == 0
    seen = read([counters(rows=100)], [counters(rows=130)])
    assert seen.predictions.rows == 30
    assert seen.predictions.features == {"x": (30, 0, 0)}
    assert seen.predictions.score == (30, 0, 0)


def test_pods_add_up_and_a_new_pod_counts_from_zero() -> None:
    seen = read([counters("a", 10)], [counters("a", 15), counters("b", 7)], [counters("b", 9)])
    assert seen.predictions.rows == 5 + 7 + 2


def test_a_restarted_pod_keeps_the_counts_that_were_read() -> None:
    seen = read([counters("a", 10)], [counters("a", 50)], [counters("a2", 5)])
    assert seen.predictions.rows == 40 + 5


def test_a_pod_with_another_model_is_ignored() -> None:
    seen = read([counters("a", 1)], [counters("b", 99, OTHER_DIGEST), counters("a", 2)])
    assert seen.predictions.rows == 1


def test_labels_are_counted_with_matrix_and_scores() -> None:
    early = counters(labels=1, matrix=[[1, 0], [0, 0]], scores=[[1, 0], [0, 0]])
    late = counters(labels=4, matrix=[[2, 1], [0, 1]], scores=[[2, 1], [0, 1]])
    seen = read([early], [late])
    assert seen.labels.labels == 3
    assert seen.labels.matrix == ((1, 1), (0, 1))
    assert seen.labels.scores == ((1, 1), (0, 1))


def test_windows_close_independently_of_each_other() -> None:
    seen = read([counters(rows=0)], [counters(rows=5, labels=3)])
    closed = seen.close(NOW, JudgedWindows(predictions=True, labels=False))
    assert (closed.predictions.rows, closed.labels.labels) == (0, 3)
    more = closed.add([counters(rows=6, labels=3)])
    assert (more.predictions.rows, more.labels.labels) == (1, 3)


def test_the_latest_capture_problem_is_kept() -> None:
    broken = counters(capture=CaptureCounts(problem="no such bucket"))
    assert read([broken]).capture_problem == "no such bucket"
    assert read([broken], [counters(capture=CaptureCounts())]).capture_problem == ""


@given(st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=1, max_size=8))
def test_the_sum_over_pods_equals_the_counts_of_a_single_pod(steps: list[list[int]]) -> None:
    totals = [0, 0, 0]
    seen = read([counters(name) for name in "abc"])
    for step in steps:
        totals = [total + more for total, more in zip(totals, step, strict=True)]
        seen = seen.add(counters(name, rows) for name, rows in zip("abc", totals, strict=True))
    assert seen.predictions.rows == sum(totals)
    assert sum(seen.predictions.features["x"]) == sum(totals)
