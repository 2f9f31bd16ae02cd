"""The last stage of prepare: files of the conversion are data."""

import json
from pathlib import Path

import pytest
from support.preparing import plan, run_stage, settings

from perennial_contracts.wire.bundle import Bundle
from perennial_contracts.wire.digest import digest_of
from perennial_trainer.errors import StepError
from perennial_trainer.steps.prepare import publish


def put_bundle(folder: Path) -> bytes:
    """Write the files of the stage convert; return bundle.json."""
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(b"a model")
    card = {"name": "default/delays", "kind": "SkLearn", "lineage": {"artifact": "sha256:1"}}
    (folder / "modelcard.json").write_text(json.dumps(card))
    (folder / "report.html").write_text("<p>")
    file = {"path": "model.onnx", "digest": digest_of(b"a model"), "size": 7}
    manifest = Bundle.model_validate({"files": [file]}).to_bytes()
    (folder / "bundle.json").write_bytes(manifest)
    return manifest


def test_a_bundle_is_published_under_its_digest_once(
    tmp_path: Path,
) -> None:
    manifest = put_bundle(tmp_path / "output")
    what = plan(tmp_path, "unused")
    first = publish.run(what, settings(tmp_path, "publish"))
    folder = tmp_path / "store" / digest_of(manifest)[7:19]
    assert first.digest == digest_of(manifest)
    assert first.uri == f"{folder}/"
    assert first.report == f"{folder}/report.html"
    assert (first.artifact, first.format) == ("sha256:1", "SkLearn")
    times = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert publish.run(what, settings(tmp_path, "publish")) == first
    assert times == {path: path.stat().st_mtime_ns for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["model.onnx", "modelcard.json", "report.html", "bundle.json"])
def test_a_link_of_the_conversion_is_not_followed(tmp_path: Path, name: str) -> None:
    put_bundle(tmp_path / "output")
    secret = tmp_path / "secret"
    (tmp_path / "output" / name).rename(secret)
    (tmp_path / "output" / name).symlink_to(secret)
    with pytest.raises(StepError, match="is a link"):
        publish.run(plan(tmp_path, "unused"), settings(tmp_path, "publish"))
    assert not (tmp_path / "store").exists()


def test_a_bundle_with_another_model_is_not_published(tmp_path: Path) -> None:
    put_bundle(tmp_path / "output")
    (tmp_path / "output" / "model.onnx").write_bytes(b"b model")
    with pytest.raises(StepError, match=r"differs from its digest in bundle\.json"):
        publish.run(plan(tmp_path, "unused"), settings(tmp_path, "publish"))


def test_an_empty_output_is_reported(tmp_path: Path) -> None:
    code, outcome, _ = run_stage(tmp_path, plan(tmp_path, "unused"), "publish")
    assert (code, outcome and outcome.reason) == (1, "NoModel")
