from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_operator_is_no_package_because_the_standard_library_has_one_of_that_name() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_both_overlays_grant_the_same_rights() -> None:
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


def test_every_decision_has_a_test_module_of_its_name() -> None:
    operator, tests = ROOT / "operator" / "perennial_operator", Path(__file__).parent
    decisions = [
        module.relative_to(operator)
        for folder in ("modeldeployment", "retrainjob")
        for module in (operator / folder).rglob("*.py")
        if module.name != "__init__.py"
    ]
    assert len(decisions) > 15
    missing = [
        str(module)
        for module in decisions
        if not (tests / module.parent / f"test_{module.name}").exists()
    ]
    assert not missing, "write tests/operator/FOLDER/test_MODULE.py for each"
