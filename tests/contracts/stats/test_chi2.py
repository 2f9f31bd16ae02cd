import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from perennial_contracts.stats.chi2 import upper_quantile


@given(st.integers(1, 500), st.floats(1e-8, 0.999))
def test_a_quantile_equals_that_of_scipy(degrees: int, tail: float) -> None:
    assert upper_quantile(degrees, tail) == pytest.approx(stats.chi2.isf(tail, degrees), rel=1e-8)


@pytest.mark.parametrize("degrees", [1, 2, 9, 10, 21, 5000])
@pytest.mark.parametrize("family", [1, 28, 52])
def test_the_quantiles_of_the_drift_rule_equal_those_of_scipy(degrees: int, family: int) -> None:
    tail = 0.01 / family
    assert upper_quantile(degrees, tail) == pytest.approx(stats.chi2.isf(tail, degrees), rel=1e-10)


@given(st.integers(1, 60), st.floats(1e-6, 0.49))
def test_a_rarer_event_has_a_larger_quantile(degrees: int, tail: float) -> None:
    assert upper_quantile(degrees, tail) > upper_quantile(degrees, 2 * tail)
    assert upper_quantile(degrees + 1, tail) > upper_quantile(degrees, tail)


@pytest.mark.parametrize(("degrees", "tail"), [(0, 0.5), (-1, 0.5), (3, 0.0), (3, 1.0), (3, -0.1)])
def test_invalid_degrees_and_tails_are_rejected(degrees: int, tail: float) -> None:
    with pytest.raises(ValueError, match="expected degrees >= 1 and 0 < tail < 1"):
        upper_quantile(degrees, tail)
