import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from perennial_contracts.wire.profile import (
    CATEGORY_BINS,
    MAX_FEATURES,
    NUMBER_BINS,
    Baseline,
    Distribution,
    Profile,
    fit_categories,
    fit_numbers,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ANY_NUMBERS = st.lists(st.floats(), max_size=60)
TEXTS = st.lists(st.none() | st.just("") | st.just(math.nan) | st.text(max_size=3), max_size=60)


@st.composite
def of_numbers(draw: st.DrawFn) -> Distribution:
    edges = sorted(draw(st.sets(FINITE, max_size=12)))
    return Distribution(name="x", edges=edges, counts=[0] * (len(edges) + 2))


@st.composite
def of_categories(draw: st.DrawFn) -> Distribution:
    categories = draw(st.lists(st.text(max_size=3), max_size=12, unique=True))
    return Distribution(name="x", categories=categories, counts=[0] * (len(categories) + 2))


def bin_of(distribution: Distribution, value: Any) -> int:
    """Return the bin of a value by the definition."""
    if value is None or value == "" or value != value:
        return distribution.bins - 1
    if distribution.edges is not None:
        return sum(edge <= value for edge in distribution.edges)
    categories = distribution.categories or []
    return categories.index(value) if value in categories else distribution.bins - 2


# --- counting ---


@given(of_numbers(), ANY_NUMBERS)
def test_each_number_is_in_the_bin_of_the_definition(
    distribution: Distribution, values: list[float]
) -> None:
    values = [*values, *(distribution.edges or ())]
    expected = np.bincount(
        [bin_of(distribution, value) for value in values], minlength=distribution.bins
    )
    assert distribution.count(values).tolist() == expected.tolist()


@given(of_categories(), TEXTS)
def test_each_text_is_in_the_bin_of_the_definition(
    distribution: Distribution, values: list[Any]
) -> None:
    values = [*values, *(distribution.categories or ())]
    expected = np.bincount(
        [bin_of(distribution, value) for value in values], minlength=distribution.bins
    )
    assert distribution.count(values).tolist() == expected.tolist()
    assert distribution.count(np.array(values, object)).tolist() == expected.tolist()


@given(of_numbers(), ANY_NUMBERS, st.integers(1, 5))
def test_counts_of_replicas_add_up_to_the_counts_of_all_numbers(
    distribution: Distribution, values: list[float], replicas: int
) -> None:
    parts = [distribution.count(np.array(values[start::replicas])) for start in range(replicas)]
    assert np.sum(parts, axis=0).tolist() == distribution.count(values).tolist()


@given(of_categories(), TEXTS, st.integers(1, 5))
def test_counts_of_replicas_add_up_to_the_counts_of_all_texts(
    distribution: Distribution, values: list[Any], replicas: int
) -> None:
    parts = [distribution.count(values[start::replicas]) for start in range(replicas)]
    assert np.sum(parts, axis=0).tolist() == distribution.count(values).tolist()


def test_a_value_on_an_edge_is_in_the_upper_bin() -> None:
    distribution = Distribution(name="x", edges=[0.0, 1.0], counts=[0] * 4)
    assert distribution.count([math.nextafter(0, -1), -math.inf]).tolist() == [2, 0, 0, 0]
    assert distribution.count([0.0, -0.0, 0.999]).tolist() == [0, 3, 0, 0]
    assert distribution.count([1.0, math.inf]).tolist() == [0, 0, 2, 0]
    assert distribution.count([math.nan, None]).tolist() == [0, 0, 0, 2]


def test_null_in_a_column_of_texts_counts_as_missing() -> None:
    distribution = Distribution(name="x", categories=["nan", "None"], counts=[0] * 4)
    nulls = np.array([None, math.nan, float("nan"), ""], object)
    assert distribution.count(nulls).tolist() == [0, 0, 0, 4]
    assert distribution.count(["nan", "None", "other"]).tolist() == [1, 1, 1, 0]


def test_no_values_give_zero_counts() -> None:
    assert Distribution(name="x", edges=[1.0], counts=[0] * 3).count([]).tolist() == [0, 0, 0]
    assert Distribution(name="x", categories=["a"], counts=[0] * 3).count([]).tolist() == [0, 0, 0]


def test_numbers_of_any_width_and_shape_are_counted_alike() -> None:
    fitted = fit_numbers("x", np.linspace(0, 1, 101, dtype=np.float32))
    column = np.linspace(0, 1, 101, dtype=np.float32).reshape(-1, 1)
    assert fitted.count(column).tolist() == fitted.counts
    integers = fit_numbers("x", np.arange(100))
    assert integers.count(np.arange(100, dtype=np.int32)).tolist() == integers.counts


# --- fitting ---


@given(st.lists(st.floats() | st.sampled_from([0.0, 1.0]), max_size=80))
def test_the_counts_of_fitted_numbers_are_those_of_the_same_rows(values: list[float]) -> None:
    fitted = fit_numbers("x", np.array(values))
    assert sum(fitted.counts) == len(values)
    assert fitted.count(values).tolist() == fitted.counts
    assert fitted.counts[-1] == sum(math.isnan(value) for value in values)
    assert fitted.bins <= NUMBER_BINS + 1
    assert set(fitted.edges or ()) <= set(values)


def test_numbers_without_ties_are_in_ten_bins_of_equal_counts() -> None:
    values = np.random.default_rng(1).permutation(1000).astype(float)
    fitted = fit_numbers("x", values)
    assert len(fitted.counts) == NUMBER_BINS + 1
    assert all(abs(count - 100) <= 1 for count in fitted.counts[:-1])
    assert fitted.counts[-1] == 0


def test_tied_numbers_stay_together_in_fewer_bins() -> None:
    fitted = fit_numbers("x", np.array([0.0] * 70 + list(range(1, 31))))
    assert (fitted.edges or [])[0] == 0.0
    assert fitted.counts[0] == 0, "nothing is below the tied value"
    assert fitted.counts[1] >= 70
    assert fitted.bins < NUMBER_BINS + 1


def test_a_constant_has_a_bin_apart_from_lower_values() -> None:
    fitted = fit_numbers("x", np.full(50, 3.0))
    assert fitted.edges == [3.0]
    assert fitted.counts == [0, 50, 0]


@pytest.mark.parametrize("values", [[], [math.nan] * 5, [math.inf, -math.inf, math.nan]])
def test_a_feature_without_a_finite_number_has_one_bin_beside_the_missing(
    values: list[float],
) -> None:
    fitted = fit_numbers("x", np.array(values))
    missing = sum(math.isnan(value) for value in values)
    assert fitted.edges == []
    assert fitted.counts == [len(values) - missing, missing]


def test_infinities_are_counted_but_do_not_become_edges() -> None:
    fitted = fit_numbers("x", np.array([-math.inf, *range(20), math.inf]))
    assert np.isfinite(fitted.edges or ()).all()
    assert sum(fitted.counts) == 22


@given(TEXTS, st.lists(st.text(min_size=1, max_size=2), max_size=4))
def test_the_counts_of_fitted_texts_are_those_of_the_same_rows(
    values: list[Any], keep: list[str]
) -> None:
    fitted = fit_categories("x", values, keep=keep)
    assert sum(fitted.counts) == len(values)
    assert fitted.count(values).tolist() == fitted.counts
    categories = fitted.categories or []
    assert categories[: len(dict.fromkeys(keep))] == list(dict.fromkeys(keep))
    assert set(categories) <= {*keep, *(value for value in values if isinstance(value, str))}


@given(st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=40), st.randoms())
def test_the_order_of_rows_does_not_matter_to_categories(rows: list[str], random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    assert fit_categories("x", shuffled) == fit_categories("x", rows)


def test_only_the_most_frequent_categories_have_bins() -> None:
    rows = [f"c{place:02}" for place in range(CATEGORY_BINS + 5) for _ in range(place + 1)]
    fitted = fit_categories("x", rows)
    assert fitted.categories == [f"c{place:02}" for place in range(CATEGORY_BINS + 4, 4, -1)]
    assert fitted.counts[-2:] == [1 + 2 + 3 + 4 + 5, 0]


def test_equally_frequent_categories_are_sorted_by_name() -> None:
    assert fit_categories("x", ["b", "c", "a"]).categories == ["a", "b", "c"]


def test_all_classes_are_kept_in_order() -> None:
    classes = [f"class {place}" for place in range(CATEGORY_BINS + 10, 0, -1)]
    fitted = fit_categories("label", ["class 3"] * 4 + ["stranger"], keep=classes)
    assert fitted.categories == classes
    assert fitted.counts[classes.index("class 3")] == 4
    assert fitted.counts[-2] == 1


# --- reading and writing ---


def a_profile(**changes: Any) -> dict[str, Any]:
    return {
        "rows": 3,
        "features": [{"name": "age", "edges": [1.5], "counts": [1, 2, 0]}],
        "score": {"name": "score", "edges": [], "counts": [3, 0]},
        "label": {"name": "label", "categories": ["no", "yes"], "counts": [1, 2, 0, 0]},
        "positive": "yes",
        "quality": {"f1": {"value": 0.9, "deviation": 0.01, "rows": 3}},
        **changes,
    }


@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=5), ANY_NUMBERS, TEXTS),
        unique_by=lambda each: each[0],
        max_size=4,
    ),
    st.floats(0, 1),
)
def test_a_profile_reads_back_as_it_was_written(
    columns: list[tuple[str, list[float], list[Any]]], value: float
) -> None:
    features = [fit_numbers(name, np.array(numbers)) for name, numbers, _ in columns]
    features += [fit_categories(f"{name} text", texts) for name, _, texts in columns]
    assume(len({feature.name for feature in features}) == len(features))
    profile = Profile(
        rows=7,
        features=features,
        score=fit_numbers("score", np.linspace(0, 1, 7)),
        label=fit_categories("label", ["yes"] * 7, keep=["no", "yes"]),
        positive="yes",
        quality={"f1": Baseline(value=value, deviation=0.01, rows=7)},
    )
    assert Profile.model_validate_json(profile.to_bytes()) == profile


def test_a_profile_of_a_later_version_is_rejected_but_unknown_keys_are_ignored() -> None:
    assert Profile.model_validate(a_profile(later=1)).rows == 3
    with pytest.raises(ValidationError, match="schemaVersion"):
        Profile.model_validate(a_profile(schemaVersion=2))


def one_feature(**changes: Any) -> Callable[[], dict[str, Any]]:
    return lambda: a_profile(
        features=[{"name": "age", "edges": [1.0, 2.0], "counts": [1, 1, 1, 0]} | changes]
    )


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (one_feature(counts=[1, 2]), "age: expected 4 counts, got 2"),
        (one_feature(edges=[2.0, 1.0]), "age: expected finite edges in ascending order"),
        (one_feature(edges=[1.0, 1.0]), "age: expected finite edges in ascending order"),
        (one_feature(edges=[1.0, math.inf]), "age: expected finite edges in ascending order"),
        (one_feature(categories=["a", "b"]), "age: expected either edges or categories"),
        (one_feature(edges=None), "age: expected either edges or categories"),
        (
            one_feature(edges=None, categories=["a", "a"]),
            "age: expected each category once",
        ),
        (one_feature(counts=[1, -1, 1, 0]), r"features\.0\.counts\.1"),
        (one_feature(name=""), r"features\.0\.name"),
        (lambda: a_profile(rows=0), "rows"),
        (lambda: a_profile(features=a_profile()["features"] * 2), "features: expected each name"),
        (
            lambda: a_profile(
                features=[
                    {"name": str(number), "edges": [], "counts": [0, 0]}
                    for number in range(MAX_FEATURES + 1)
                ]
            ),
            "features",
        ),
    ],
)
def test_an_error_in_a_profile_names_the_field(
    contents: Callable[[], dict[str, Any]], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        Profile.model_validate(contents())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("value", math.nan),
        ("value", math.inf),
        ("deviation", math.nan),
        ("deviation", math.inf),
        ("deviation", -0.1),
        ("rows", 0),
    ],
)
def test_an_invalid_baseline_is_rejected(field: str, value: float) -> None:
    with pytest.raises(ValidationError, match=field):
        Baseline.model_validate({"value": 0.9, "deviation": 0.1, "rows": 10, field: value})
