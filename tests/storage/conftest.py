"""A small model and a bundle, as bytes, and servers of stores."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.ranged import RangedFile
from support.stores import (  # noqa: F401
    azure_server,
    folder_uri,
    gcs_xml_server,
    hub,
    s3_server,
    variables,
    web,
)
from support.web import WebServer

from perennial_contracts.wire.bundle import Bundle, Tensor, describe_files
from perennial_storage.parts import PART_BYTES


@pytest.fixture(scope="session")
def model() -> bytes:
    """Bytes of a model. This package never looks inside."""
    return bytes(range(256)) * 2


@pytest.fixture(scope="session")
def bundle_files(model: bytes) -> dict[str, bytes]:
    """A bundle with one more file than the model, by path."""
    contents = {"model.onnx": model, "notes/readme.txt": b"two times x plus one"}
    bundle = Bundle(
        files=describe_files(contents),
        inputs=[Tensor(name="X", datatype="FP32", shape=[-1, 2])],
        outputs=[Tensor(name="Y", datatype="FP32", shape=[-1, 2])],
    )
    return {**contents, "bundle.json": bundle.to_bytes()}


@pytest.fixture
def write_files(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    """Return a function that writes files into a new folder, by relative path."""

    def write(files: dict[str, bytes]) -> Path:
        folder = tmp_path / f"files-{len(list(tmp_path.iterdir()))}"
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder

    return write


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def large() -> bytes:
    """Eight parts and a bit."""
    return os.urandom(8 * PART_BYTES + 4711)


@pytest.fixture(scope="module")
def other() -> bytes:
    """Other bytes of the same length."""
    return os.urandom(8 * PART_BYTES + 4711)


@pytest.fixture
def file(web: WebServer, large: bytes) -> Iterator[RangedFile]:  # noqa: F811
    """A large file at ``/x.onnx`` of the web server, which can be read in ranges."""
    served = RangedFile(large)
    web.files["/x.onnx"] = served
    yield served
    served.gate.set()
