import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_operator.matching import contains, quantity

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(JSON)
def test_an_object_contains_itself(value: object) -> None:
    assert contains(value, value)


def test_fields_that_the_api_server_adds_are_ignored() -> None:
    assert contains(
        {"spec": {"replicas": 2, "paused": False}, "status": {}}, {"spec": {"replicas": 2}}
    )


@pytest.mark.parametrize(
    ("live", "wanted"),
    [
        ({"replicas": 3}, {"replicas": 2}),
        ({}, {"replicas": 2}),
        ({"env": [{"name": "A"}, {"name": "B"}]}, {"env": [{"name": "A"}]}),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, {"limits": {"cpu": "1"}}),
        ({"limits": {"cpu": "2"}}, {"limits": {"cpu": "1"}}),
        ("text", {"a": 1}),
    ],
)
def test_a_difference_is_found(live: object, wanted: object) -> None:
    assert not contains(live, wanted)


def test_absent_and_empty_are_the_same() -> None:
    assert contains({}, {"nodeSelector": {}, "tolerations": [], "hostNetwork": False})


@pytest.mark.parametrize(
    ("live", "wanted"), [("500m", "0.5"), ("1", "1000m"), ("1", 1), ("1Gi", "1024Mi"), ("2k", 2000)]
)
def test_quantities_match_by_value(live: str, wanted: str | int) -> None:
    assert contains({"limits": {"x": live}}, {"limits": {"x": wanted}})


def test_text_that_is_no_quantity_is_compared_as_text() -> None:
    assert quantity("much") == "much"
