import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from perennial_contracts.stats.drift import ALPHA, Finding, Level, chance_limit, judge, psi
from perennial_contracts.wire.profile import Distribution, Profile, fit_categories, fit_numbers

COUNTS = st.integers(2, 22).flatmap(
    lambda bins: st.tuples(
        *[st.lists(st.integers(0, 10_000), min_size=bins, max_size=bins) for _ in range(2)]
    )
)


# --- the index ---


@given(COUNTS)
def test_the_index_is_never_negative_and_the_same_both_ways(
    pair: tuple[list[int], list[int]],
) -> None:
    reference, window = pair
    index = psi(reference, window)
    assert index >= 0
    assert math.isfinite(index)
    assert psi(window, reference) == pytest.approx(index)
    assert psi(reference, reference) == 0


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=22), st.integers(2, 50))
def test_the_index_of_the_same_shares_is_almost_nothing(counts: list[int], times: int) -> None:
    # Only the count that is added to each bin keeps it from nought.
    rows = [count + 20 for count in counts]
    assert psi(rows, [count * times for count in rows]) < 0.01


def test_the_index_is_the_divergence_both_ways_of_the_shares() -> None:
    p, q = np.array([0.2, 0.5, 0.3]), np.array([0.4, 0.4, 0.2])
    expected = stats.entropy(p, q) + stats.entropy(q, p)
    assert psi(p * 1e7, q * 1e7) == pytest.approx(expected, rel=1e-4)


def test_the_index_does_not_depend_on_the_order_of_bins() -> None:
    assert psi([5, 0, 20, 9], [1, 8, 3, 40]) == pytest.approx(psi([9, 20, 0, 5], [40, 3, 8, 1]))


def test_counts_over_different_bins_are_rejected() -> None:
    with pytest.raises(ValueError, match="expected as many bins, got 2 and 3"):
        psi([1, 2], [1, 2, 3])


# --- the limit of chance ---


def test_the_limit_is_a_chi_square_quantile_of_the_two_sizes() -> None:
    expected = stats.chi2.isf(0.01 / 28, 9) * (1 / 2000 + 1 / 500)
    assert ALPHA == 0.01
    assert chance_limit(10, 2000, 500, 28) == pytest.approx(expected)


@given(st.integers(2, 22), st.integers(1, 100_000), st.integers(1, 100_000), st.integers(1, 52))
def test_the_limit_grows_with_less_data_more_bins_and_more_features(
    bins: int, reference: int, window: int, family: int
) -> None:
    limit = chance_limit(bins, reference, window, family)
    assert limit > 0
    assert chance_limit(bins, reference, window + 1, family) < limit
    assert chance_limit(bins, reference + 1, window, family) < limit
    assert chance_limit(bins + 1, reference, window, family) > limit
    assert chance_limit(bins, reference, window, family + 1) > limit


def test_without_rows_no_index_exceeds_the_limit() -> None:
    assert chance_limit(10, 0, 100) == chance_limit(10, 100, 0) == math.inf
    assert chance_limit(1, 100, 100) == 0
    assert psi([40], [70]) == 0


# --- the rule ---


def of(name: str, counts: Sequence[int]) -> Distribution:
    return Distribution(name=name, edges=list(range(len(counts) - 2)), counts=list(counts))


def judged(
    reference: Sequence[int], window: Sequence[int], warn: float = 0.1, act: float = 0.2
) -> Finding:
    profile = Profile(rows=max(sum(reference), 1), features=[of("x", reference)])
    (finding,) = judge(profile, {"x": window}, None, None, warn=warn, act=act)
    return finding


def test_a_small_window_must_differ_by_more() -> None:
    reference = [1000] * 10 + [0]
    shares = [17, 6, 10, 10, 10, 10, 10, 10, 10, 7, 0]
    small, large = judged(reference, shares), judged(reference, [20 * each for each in shares])
    assert small.limit > 4 * large.limit
    assert small.level is Level.STABLE
    assert small.psi < small.limit
    assert large.psi > large.limit


def test_the_level_of_a_difference_beyond_chance_depends_on_its_size() -> None:
    reference = [50_000, 50_000, 0]
    slight = judged(reference, [57_000, 43_000, 0])
    assert slight.psi > slight.limit
    assert slight.level is Level.STABLE
    assert judged(reference, [66_500, 33_500, 0]).level is Level.WARN
    assert judged(reference, [75_000, 25_000, 0]).level is Level.ACT


def test_the_caller_sets_the_thresholds() -> None:
    reference, window = [50_000, 50_000, 0], [57_000, 43_000, 0]
    index = judged(reference, window).psi
    assert judged(reference, window, warn=index, act=1).level is Level.WARN
    assert judged(reference, window, warn=index + 1e-9, act=1).level is Level.STABLE
    assert judged(reference, window, warn=0, act=index).level is Level.ACT


@pytest.mark.parametrize("rows", [500, 1000, 5000])
def test_a_shift_of_half_a_standard_deviation_is_found(rows: int) -> None:
    random = np.random.default_rng(rows)
    features = [fit_numbers(f"f{each}", random.normal(size=2000)) for each in range(26)]
    profile = Profile(rows=2000, features=features)
    found = 0
    for _ in range(40):
        window = {each.name: each.count(random.normal(size=rows)).tolist() for each in features}
        window["f3"] = features[3].count(random.normal(0.5, size=rows)).tolist()
        first = judge(profile, window, None, None, warn=0.1, act=0.2)[0]
        found += first.name == "f3" and first.level is not Level.STABLE
    assert found >= 39


def test_a_new_category_is_found() -> None:
    label = fit_categories("airline", ["a"] * 900 + ["b"] * 1100)
    profile = Profile(rows=2000, features=[label])
    window = label.count(["a"] * 400 + ["b"] * 450 + ["new"] * 150).tolist()
    (finding,) = judge(profile, {"airline": window}, None, None, warn=0.1, act=0.2)
    assert finding.level is Level.ACT


def test_new_missing_values_are_found() -> None:
    numbers = fit_numbers("age", np.random.default_rng(5).normal(size=2000))
    profile = Profile(rows=2000, features=[numbers])
    rows = np.random.default_rng(6).normal(size=500)
    rows[:100] = np.nan
    window = {"age": numbers.count(rows).tolist()}
    (finding,) = judge(profile, window, None, None, warn=0.1, act=0.2)
    assert finding.level is Level.ACT


def test_a_bin_that_is_empty_in_both_does_not_count() -> None:
    sparse, dense = (
        judged([500, 0, 500, 0, 0], [60, 0, 40, 0, 0]),
        judged([500, 500, 0], [60, 40, 0]),
    )
    assert sparse.psi == dense.psi
    assert sparse.limit == dense.limit


def test_a_window_or_profile_without_rows_is_stable() -> None:
    for finding in (judged([100, 100, 0], [0, 0, 0]), judged([0, 0, 0], [100, 0, 0])):
        assert finding.level is Level.STABLE
        assert finding.limit == math.inf


def test_findings_are_sorted_by_distance_then_by_name() -> None:
    profile = Profile(
        rows=200,
        features=[of(name, [100, 100, 0]) for name in ("b", "a", "near", "far")],
        score=of("of the trainer", [100, 100, 0]),
        label=of("too", [100, 100, 0]),
    )
    same, near, far = [50, 50, 0], [60, 40, 0], [90, 10, 0]
    windows = {"a": same, "b": same, "near": near, "far": far}
    found = judge(profile, windows, [80, 20, 0], [30, 70, 0], warn=0.1, act=0.2)
    assert [(each.name, each.is_prediction) for each in found] == [
        ("far", False), ("score", True), ("label", True), ("near", False), ("a", False),
        ("b", False),
    ]  # fmt: skip
    assert [each.psi for each in found] == sorted((each.psi for each in found), reverse=True)


def test_missing_counts_and_counts_over_other_bins_are_skipped() -> None:
    profile = Profile(
        rows=200,
        features=[of(name, [100, 100, 0]) for name in ("good", "other", "absent")],
        score=of("score", [100, 100, 0]),
        label=of("label", [100, 100, 0]),
    )
    windows = {"good": [50, 50, 0], "other": [50, 50], "stranger": [1, 2, 3]}
    (alone,) = judge(profile, windows, None, [1, 2, 3, 4], warn=0.1, act=0.2)
    assert alone.name == "good"
    assert alone.limit == pytest.approx(chance_limit(2, 200, 100, family=1))


def test_more_distributions_judged_at_once_raise_the_limit() -> None:
    few = Profile(rows=200, features=[of("a", [100, 100, 0])])
    many = Profile(rows=200, features=[of(name, [100, 100, 0]) for name in "abcdefgh"])
    windows = {name: [60, 40, 0] for name in "abcdefgh"}
    (one,) = judge(few, windows, None, None, warn=0.1, act=0.2)
    first = judge(many, windows, None, None, warn=0.1, act=0.2)[0]
    assert first.psi == one.psi
    assert first.limit == pytest.approx(chance_limit(2, 200, 100, family=8))


# --- false alarms ---


def rows_of(random: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Return columns of four kinds from one seeded source."""
    gaps = random.normal(size=rows)
    gaps[random.random(rows) < 0.1] = np.nan
    ranks = 1 / np.arange(1, 41)
    texts = np.array([f"c{place}" for place in range(40)], object)
    return {
        "normal": random.normal(size=rows),
        "tied": random.poisson(3, rows).astype(float),
        "gaps": gaps,
        "texts": texts[random.choice(40, rows, p=ranks / ranks.sum())],
    }


@pytest.mark.parametrize("rows", [100, 500])
def test_without_drift_few_windows_are_reported(rows: int) -> None:
    # At most 1.5 % is the target; benchmarks/drift_calibration.py measures it more closely.
    random, turns, alarms = np.random.default_rng(rows), 250, 0
    for _ in range(turns):
        features, window = [], {}
        for place in range(3):
            seen = rows_of(random, rows)
            for kind, values in rows_of(random, 2000).items():
                fit = fit_categories if values.dtype == object else fit_numbers
                feature = fit(f"{kind} {place}", values)
                features.append(feature)
                window[feature.name] = feature.count(seen[kind]).tolist()
        found = judge(Profile(rows=2000, features=features), window, None, None, warn=0.1, act=0.2)
        alarms += any(each.level is not Level.STABLE for each in found)
    assert alarms <= stats.binom.ppf(0.999, turns, 0.015)
