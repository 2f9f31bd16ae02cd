from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_operator_is_no_package_because_the_standard_library_has_one_of_that_name() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_both_overlays_give_the_same_rights() -> None:
    def rules(overlay: str) -> object:
        documents = yaml.safe_load_all((ROOT / "manifests" / overlay / "rbac.yaml").read_text())
        return next(iter(documents))["rules"]

    assert rules("cluster-wide") == rules("one-namespace")


def test_the_operator_may_not_read_secrets() -> None:
    for overlay in ("cluster-wide", "one-namespace"):
        text = (ROOT / "manifests" / overlay / "rbac.yaml").read_text()
        for document in yaml.safe_load_all(text):
            for rule in document.get("rules", ()):
                assert "secrets" not in rule["resources"]
                assert "*" not in rule["resources"] + rule["verbs"] + rule["apiGroups"]
