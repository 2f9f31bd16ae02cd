"""An upgrade of the operator must find the revisions and Jobs that it made before."""

from golden.cases import SPECS, spec
from golden.record import check
from support.worlds import DIGEST, IMAGE, OTHER_DIGEST

from perennial_operator.names import child_name
from perennial_operator.revision import (
    attempt_name,
    prepared_name,
    promotion_source,
    revision_name,
    source_name,
)


def test_the_hashes_of_each_spec_are_those_that_were_recorded() -> None:
    found = {}
    for name in SPECS:
        of = spec(name)
        found[name] = {
            "revision": revision_name(of, DIGEST, IMAGE),
            "revision, other digest and image": revision_name(of, OTHER_DIGEST, "runtime:2"),
            "promotion": promotion_source(of.model),
            "source": source_name(of.model),
            "prepared": prepared_name(of),
            "attempt": attempt_name(of),
        }
    check("hashes", found)


def test_the_names_of_children_are_those_that_were_recorded() -> None:
    owners = (
        "delays", "a", "1st", "de.lays", "x" * 63, "x" * 64, "x" * 52 + ".y", "m.2" + "x" * 97,
        "a" * 30 + "-" * 20 + "b" * 30,
    )  # fmt: skip
    suffixes = ("", "5f2e", "resolve-0123456789", "work", "judge")
    found = {
        f"{owner} {suffix} {limit}": child_name(owner, suffix, limit)
        for owner in owners
        for suffix in suffixes
        for limit in (40, 63)
    }
    check("child_names", found)
