import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from perennial_build.errors import ReportedError
from perennial_images.archive import NONROOT, read_archive, write_scratch_image


def write(target: Path, content: bytes = b"program") -> Path:
    program = target.parent / "program"
    program.write_bytes(content)
    write_scratch_image(
        target, "localhost/thing:1", {"thing": program}, ["/thing"], folders=["/data"]
    )
    return target


def test_an_archive_names_its_image(tmp_path: Path) -> None:
    image = read_archive(write(tmp_path / "a.tar"))
    assert image.reference == "localhost/thing:1"
    assert image.digest.startswith("sha256:")


def test_equal_inputs_make_equal_bytes(tmp_path: Path) -> None:
    assert write(tmp_path / "a.tar").read_bytes() == write(tmp_path / "b.tar").read_bytes()


def test_another_program_has_another_digest(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a.tar"), write(tmp_path / "b.tar", b"other")
    assert read_archive(one).digest != read_archive(two).digest


def test_the_image_runs_as_a_normal_user_who_owns_its_folders(tmp_path: Path) -> None:
    with tarfile.open(write(tmp_path / "a.tar")) as archive:

        def blob(digest: str) -> bytes:
            member = archive.extractfile(f"blobs/{digest.replace(':', '/')}")
            assert member
            return member.read()

        index_file = archive.extractfile("index.json")
        assert index_file
        manifest = json.loads(blob(json.load(index_file)["manifests"][0]["digest"]))
        config = json.loads(blob(manifest["config"]["digest"]))
        layer = gzip.decompress(blob(manifest["layers"][0]["digest"]))
    assert config["config"]["User"] == f"{NONROOT}:{NONROOT}"
    with tarfile.open(fileobj=io.BytesIO(layer)) as files:
        assert files.getmember("data").uid == NONROOT
        assert files.getmember("thing").mode == 0o755


def test_a_file_that_is_not_an_archive_is_rejected_with_the_expected_format(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_text("no tar")
    with pytest.raises(ReportedError, match="is not an OCI image archive"):
        read_archive(tmp_path / "a.tar")
