"""Start reading here: a model on its way from a URI to verified bytes."""

from pathlib import Path

from support.web import WebServer

from perennial_contracts.wire.bundle import Bundle, describe_files
from perennial_contracts.wire.digest import digest_of
from perennial_storage.fetch import fetch


def test_a_bundle_is_downloaded_verified_and_cached(web: WebServer, tmp_path: Path) -> None:
    files = {"model.onnx": b"a model"}
    manifest = Bundle(files=describe_files(files)).to_bytes()
    web.files = {"/delays/bundle.json": manifest, "/delays/model.onnx": b"a model"}

    # The digest of bundle.json pins the bundle, because it lists the digests of all other files.
    pin = digest_of(manifest)
    artifact = fetch(f"{web.url}/delays/", pin, tmp_path, retry_seconds=0)

    assert artifact.digest == pin
    assert artifact.model == tmp_path / pin.replace(":", "-") / "model.onnx"
    assert artifact.model.read_bytes() == b"a model"

    web.close()  # From now on the cache answers; it needs no store.
    assert fetch(f"{web.url}/delays/", pin, tmp_path, retry_seconds=0) == artifact
