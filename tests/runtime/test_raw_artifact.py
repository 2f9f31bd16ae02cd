"""``resolve`` distinguishes models in a framework's own format from other files."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support.s3 import S3Server, needs_s3

from perennial_contracts.wire.outcome import Outcome
from perennial_runtime.raw_artifact import find_raw


def keras(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", b"0" * 100_000)
        archive.writestr("config.json", "{}")
    return path


def resolved(uri: Path | str) -> tuple[int, Outcome]:
    # A process of its own: the command ends its process where a thread would hold it up.
    command = [sys.executable, "-m", "perennial_runtime", "resolve", str(uri)]
    done = subprocess.run([*command, "--retry-seconds", "0"], capture_output=True, text=True)
    outcome = Outcome.from_text(done.stdout)
    assert outcome, done.stderr
    return done.returncode, outcome


def test_a_keras_file_needs_packaging(
    tmp_path: Path,
) -> None:
    code, outcome = resolved(keras(tmp_path / "model.keras"))
    assert code == 1
    assert (outcome.reason, outcome.format, outcome.variant) == ("NeedsPackaging", "Keras", "tf")
    assert "model.keras" in outcome.message


def test_the_one_model_in_a_folder_is_found(tmp_path: Path) -> None:
    keras(tmp_path / "model.bin")
    (tmp_path / "README.md").write_text("a model")
    found = find_raw(f"{tmp_path}/")
    assert found
    assert found.format == "Keras"


def test_a_folder_of_mlflows_names_the_image_for_its_flavor(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("flavors:\n  pytorch:\n    model_data: data\n")
    found = find_raw(str(tmp_path))
    assert found
    assert (found.format, found.variant) == ("MLflow", "torch")


def test_a_folder_without_a_model_is_not_found(
    tmp_path: Path,
) -> None:
    (tmp_path / "README.md").write_text("nothing")
    code, outcome = resolved(tmp_path)
    assert (code, outcome.reason) == (1, "ModelNotFound")


def test_an_onnx_file_that_cannot_be_loaded_is_corrupt_and_not_raw(
    tmp_path: Path,
) -> None:
    (tmp_path / "model.onnx").write_bytes(b"\x08\x08\x12\x03abc" + b"\xff" * 50)
    _, outcome = resolved(tmp_path / "model.onnx")
    assert outcome.reason != "NeedsPackaging"


@needs_s3
@pytest.mark.parametrize("uri", ["raw/forest.bin", "raw", "raw/"])
def test_a_format_is_detected_by_the_head_of_a_file_in_s3(
    s3_server: S3Server, variables: pytest.MonkeyPatch, uri: str
) -> None:
    for name, value in s3_server.environment.items():
        variables.setenv(name, value)
    folder = s3_server.buckets / "models/raw"
    folder.mkdir(exist_ok=True)
    (folder / "forest.bin").write_bytes(b"tree\nversion=v4\n" + b"0" * 10_000)
    (folder / "README").write_bytes(b"mine")
    found = find_raw(f"s3://models/{uri}")
    assert found is not None
    assert (found.format, found.variant) == ("LightGBM", "tabular")
    assert find_raw("s3://models/none/") is None


def test_a_malformed_uri_has_no_raw_artifact() -> None:
    assert find_raw("gs:///") is None
