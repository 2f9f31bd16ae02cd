import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_contracts.api.compression import CompressionGate
from perennial_contracts.wire.modelcard import CompressionTrial
from perennial_trainer.compression.decide import decide, loss_of, passes

GATE = CompressionGate(metric="accuracy", maxLossPermille=5)
MAE = CompressionGate(metric="mae", maxLossPermille=20)


def trial(method="Float16", size=1000, row=100.0, batch=1000.0, value=0.9, loss=0.0, **more):
    return CompressionTrial(
        method=method,
        status=more.pop("status", "Passed"),
        why=more.pop("why", "half floats"),
        size_bytes=size,
        transfer_bytes=more.pop("transfer", 900),
        p50_microseconds=row,
        p95_microseconds=2 * row,
        batch_rows=64,
        batch_p50_microseconds=batch,
        metric="accuracy",
        value=value,
        loss=loss,
    )


ORIGINAL = trial("Original", status="Original")


def select(*trials, gate=GATE):
    return decide(gate, ORIGINAL, trials)


def status(*trials, gate=GATE):
    return [each.status for each in select(*trials, gate=gate).trials]


@pytest.mark.parametrize(
    ("size", "kept"), [(950, "Kept"), (951, "Refused"), (1000, "Refused"), (10, "Kept")]
)
def test_a_model_that_is_smaller_by_a_twentieth_is_kept(size, kept):
    assert status(trial(size=size)) == [kept]


@pytest.mark.parametrize(
    ("row", "batch", "kept"),
    [(95, 1000, "Kept"), (100, 950, "Kept"), (96, 960, "Refused"), (50, 1990, "Kept")],
)
def test_a_model_that_is_faster_for_a_row_or_for_a_batch_is_kept(row, batch, kept):
    assert status(trial(row=row, batch=batch)) == [kept]


def test_a_smaller_model_that_is_twice_as_slow_is_refused():
    judged = select(trial(size=300, batch=4000))
    assert judged.trials[0].status == "Refused"
    assert judged.trials[0].why.endswith("4.0 times as slow")


def test_a_faster_model_that_is_half_as_large_again_is_refused():
    assert select(trial(size=1600, row=10)).trials[0].why.endswith("1.6 times as large")


@pytest.mark.parametrize(
    ("loss", "kept"),
    [
        (0.005, "Kept"),
        (0.9 - 0.895, "Kept"),
        (0.0051, "Refused"),
        (-0.1, "Kept"),
        (None, "Refused"),
    ],
)
def test_a_loss_up_to_the_limit_passes_the_gate(loss, kept):
    assert status(trial(size=100, loss=loss)) == [kept]


def test_the_first_that_passes_is_kept_and_later_ones_have_a_reason():
    judged = select(
        trial("Int8Dynamic", size=100, loss=0.5),
        trial("Float16", size=500),
        trial("Prune", size=10),
    )
    assert [each.status for each in judged.trials] == ["Refused", "Kept", "Passed"]
    assert judged.kept == 1
    assert judged.trials[2].why.endswith("Float16 comes first")


def test_trials_that_failed_or_were_not_applicable_stay_unchanged():
    absent = CompressionTrial(method="Prune", status="NotApplicable", why="no layers")
    broken = CompressionTrial(method="Distill", status="Failed", why="ValueError: x")
    judged = select(absent, broken)
    assert judged.trials == [absent, broken]
    assert judged.kept is None


def test_the_reason_contains_the_numbers_and_the_limit():
    why = select(trial(size=400, row=50, batch=1100, value=0.88, loss=0.02)).trials[0].why
    assert why == (
        "half floats: accuracy 0.9000 → 0.8800 (lost 0.0200), 1.0 kB → 0.4 kB (-60%), one row -50% "
        "and 64 rows +10% of the time; the limit is a loss of 0.0050"
    )


def test_a_model_that_is_smaller_only_with_gzip_is_refused():
    why = select(trial(transfer=450)).trials[0].why
    assert why.endswith("neither smaller nor faster by 5% (with gzip it is 50% smaller)")


@pytest.mark.parametrize(
    ("gate", "higher", "before", "after", "loss"),
    [
        (GATE, True, 0.9, 0.8, 0.1),
        (MAE, False, 40.0, 42.0, 0.05),
        (MAE, False, 40.0, 38.0, -0.05),
        (CompressionGate(metric="brier"), False, 0.1, 0.15, 0.05),
        (CompressionGate(metric="r2"), True, -0.5, -0.6, 0.1),
        (MAE, False, 0.0, 0.0, 0.0),
        (MAE, False, 0.0, 1.0, math.inf),
        (GATE, True, 0.9, math.nan, math.inf),
    ],
)
def test_the_loss_of_errors_without_an_upper_end_is_a_share(gate, higher, before, after, loss):
    assert loss_of(gate, higher, before, after) == pytest.approx(loss)


def test_a_relative_loss_is_in_percent():
    assert "(lost 5.0%)" in select(trial(size=100, loss=0.05), gate=MAE).trials[0].why
    assert (
        "the limit is a loss of 2.0%" in select(trial(size=100, loss=0.05), gate=MAE).trials[0].why
    )


@given(
    st.lists(
        st.builds(
            trial,
            size=st.integers(1, 2000),
            row=st.floats(1, 300),
            batch=st.floats(1, 3000),
            loss=st.floats(-0.1, 0.1),
        ),
        max_size=5,
    )
)
def test_at_most_one_is_kept_and_it_always_passes_the_gate(trials):
    judged = select(*trials)
    kept = [each for each in judged.trials if each.status == "Kept"]
    assert len(kept) == (judged.kept is not None)
    for each in kept:
        assert passes(GATE, each.loss)
        assert (
            each.size_bytes <= 950
            or min(each.p50_microseconds / 100, 1) <= 0.95
            or (each.batch_p50_microseconds <= 950)
        )
    if judged.kept is not None:
        assert all(each.status == "Refused" for each in judged.trials[: judged.kept])
