"""The CustomResourceDefinitions and manifests; texts for people are left out."""

from typing import Any

import yaml
from golden.record import ROOT, bare, check


def documents(folder: str) -> dict[str, list[Any]]:
    """Return the YAML documents of each file below a folder, by its path there."""
    root = ROOT / folder
    return {
        path.relative_to(root).as_posix(): list(yaml.safe_load_all(path.read_text()))
        for path in sorted(root.rglob("*.yaml"))
    }


def test_the_crds_are_those_that_were_recorded() -> None:
    found = bare(documents("crds"))
    assert "description" not in found["modeldeployments.yaml"][0]["spec"]["versions"][0]["schema"]
    for name, parts in found.items():
        check(f"crds/{name.removesuffix('.yaml')}", parts)


def test_the_manifests_are_those_that_were_recorded() -> None:
    check("manifests", documents("manifests"))
