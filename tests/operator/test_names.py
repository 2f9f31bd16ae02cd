import re

from hypothesis import given
from hypothesis import strategies as st

from perennial_operator.names import child_name

DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


RESOURCE_NAMES = st.from_regex(
    r"[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?){0,4}", fullmatch=True
)


def test_a_short_name_is_kept() -> None:
    assert child_name("delays") == "delays"
    assert child_name("delays", "0f1e2d3c4b") == "delays-0f1e2d3c4b"


@given(RESOURCE_NAMES, st.sampled_from(["", "0f1e2d3c4b", "resolve-0f1e2d3c4b"]))
def test_every_resource_name_gives_a_dns_label_of_at_most_63_characters(
    name: str, suffix: str
) -> None:
    label = child_name(name, suffix)
    assert len(label) <= 63
    assert DNS_LABEL.fullmatch(label)
    assert label.endswith(suffix)


@given(RESOURCE_NAMES, RESOURCE_NAMES)
def test_two_names_never_share_a_child(one: str, other: str) -> None:
    assert (child_name(one) == child_name(other)) == (one == other)


def test_names_that_differ_after_the_cut_get_different_children() -> None:
    assert child_name("a" * 200) != child_name("a" * 199)
    assert child_name("a.b") != child_name("a-b")
