import json
from pathlib import Path

import pytest
import yaml

from perennial_build.errors import ReportedError
from perennial_cluster import install

IMAGES = {"operator": "o:1", "runtime": "r:1", "trainer": "t:1", "store": "s:1"}


def told(images: dict[str, str]) -> dict[str, str]:
    """Return the operator's variables in an overlay with images."""
    text = (install.ROOT / "manifests" / "base" / "operator.yaml").read_text()
    (deployment,) = (one for one in yaml.safe_load_all(text) if one["kind"] == "Deployment")
    variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    for change in json.loads(install.overlay("base", images)["patches"][0]["patch"]):
        *_, place, _ = change["path"].split("/")
        variables[int(place)]["value"] = change["value"]
    return {each["name"]: each["value"] for each in variables}


def test_the_operator_gets_each_image_that_converts() -> None:
    assert told({**IMAGES, "trainer-tf": "tf:1", "trainer-torch": "torch:1"}) == {
        "PERENNIAL_RUNTIME_IMAGE": "r:1",
        "PERENNIAL_TRAINER_IMAGE": "t:1",
        "PERENNIAL_TRAINER_TF_IMAGE": "tf:1",
        "PERENNIAL_TRAINER_TORCH_IMAGE": "torch:1",
    }


def test_an_image_that_was_not_requested_is_unset() -> None:
    assert told({**IMAGES, "trainer-torch": "torch:1"})["PERENNIAL_TRAINER_TF_IMAGE"] == ""


def test_the_error_for_an_unbuilt_image_has_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = tmp_path / "images.json"
    built.write_text(json.dumps(IMAGES))
    monkeypatch.setattr(install, "IMAGES_FILE", built)
    assert install.image_references() == IMAGES
    with pytest.raises(ReportedError, match=r"build trainer-tf.*_TRAINER_TF_IMAGE"):
        install.image_references(["trainer-tf"])
    monkeypatch.setenv("PERENNIAL_TRAINER_TF_IMAGE", "mine:1")
    assert install.image_references(["trainer-tf"])["trainer-tf"] == "mine:1"
