"""Publishing a bundle: once, whole, and never over other contents."""

import pytest
from support.stores import STORES

from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.run_plan import TrainingFailure
from perennial_storage.folder import Folder
from perennial_trainer.bundle.publish import publish_bundle
from perennial_trainer.errors import StepError


def open_folder(uri: str) -> Folder:
    return Folder(uri, "output.uri", 0, create=True)


def failing(call: object, *arguments: object) -> StepError:
    assert callable(call)
    with pytest.raises(StepError) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize("folder_uri", STORES, indirect=True)
def test_a_bundle_is_published_once_and_another_one_is_not_overwritten(folder_uri: str) -> None:
    files = {"model.onnx": b"a model", "bundle.json": b"{}"}
    uri = publish_bundle(folder_uri, files, {"report.html": b"at nine"}, 0)
    assert uri == f"{folder_uri}/{digest_of(b'{}')[7:19]}/"
    assert publish_bundle(folder_uri, files, {"report.html": b"at ten"}, 0) == uri
    folder = open_folder(uri)
    assert folder.list("") == ["bundle.json", "model.onnx", "report.html"]
    assert folder.read("report.html") == b"at nine"
    folder.write("bundle.json", b"{ }")
    error = failing(publish_bundle, folder_uri, files, {}, 0)
    assert error.reason is TrainingFailure.PUBLISH_FAILED
    assert folder.read("bundle.json") == b"{ }"


@pytest.mark.parametrize("folder_uri", STORES, indirect=True)
def test_the_next_attempt_completes_what_an_interrupted_one_left(folder_uri: str) -> None:
    files = {"model.onnx": b"a model", "bundle.json": b"{}"}
    folder = open_folder(f"{folder_uri}/{digest_of(b'{}')[7:19]}")
    folder.write("report.html", b"of before")
    folder.write("model.onnx", b"a model")
    publish_bundle(folder_uri, files, {"report.html": b"of now"}, 0)
    assert folder.list("") == ["bundle.json", "model.onnx", "report.html"]
    assert folder.read("report.html") == b"of now"


@pytest.mark.parametrize("folder_uri", STORES, indirect=True)
def test_a_file_with_other_contents_is_not_overwritten(folder_uri: str) -> None:
    files = {"model.onnx": b"a model", "bundle.json": b"{}"}
    folder = open_folder(f"{folder_uri}/{digest_of(b'{}')[7:19]}")
    folder.write("model.onnx", b"another model")
    error = failing(publish_bundle, folder_uri, files, {}, 0)
    assert error.reason is TrainingFailure.PUBLISH_FAILED
    assert f"{folder.describe('model.onnx')}: a file with other contents exists" in error.message
    assert "Give output.uri a folder of its own" in error.message
    assert folder.list("") == ["model.onnx"]
    assert folder.read("model.onnx") == b"another model"


@pytest.mark.parametrize("uri", ["https://host/x", "hf://org/delays/x"])
def test_a_read_only_store_is_rejected_before_anything_is_written(uri: str) -> None:
    error = failing(publish_bundle, uri, {"bundle.json": b"{}"}, {}, 0)
    assert error.reason is TrainingFailure.PUBLISH_FAILED
    assert "expected s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH" in error.message
