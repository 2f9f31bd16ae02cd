"""Large objects in parts: received bytes are kept, overwritten objects noticed."""

import threading
import time

import pytest
from support.ranged import RangedFile

from perennial_contracts.wire.bundle import Bundle, BundleFile
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage.download import WORKERS
from perennial_storage.errors import StorageError
from perennial_storage.fetch import fetch
from perennial_storage.parts import PART_BYTES

MEBIBYTE = 1024 * 1024
PATIENCE = 60.0


def until(condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_large_object_is_requested_once_in_parts(web, file, large, cache):
    artifact = fetch(f"{web.url}/x.onnx", digest_of(large), cache, 0)
    assert artifact.model.read_bytes() == large
    assert sorted(file.spans) == [
        (at, min(at + PART_BYTES, len(large))) for at in range(0, len(large), PART_BYTES)
    ]
    assert file.sent == len(large)


def test_several_parts_are_downloaded_concurrently(web, file, large, cache):
    file.fuse = 0
    thread = threading.Thread(target=fetch, args=(f"{web.url}/x.onnx", None, cache, 0))
    thread.start()
    until(lambda: len(file.spans) == WORKERS)
    file.gate.set()
    thread.join(PATIENCE)
    assert file.sent == len(large)


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1])
def test_objects_of_every_size_arrive(web, cache, large, size):
    web.files["/x.onnx"] = RangedFile(large[:size])
    assert fetch(f"{web.url}/x.onnx", None, cache, 0).model.read_bytes() == large[:size]


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_an_object_without_a_strong_tag_is_read_in_one_response(web, file, large, cache, etag):
    file.etag = etag
    assert fetch(f"{web.url}/x.onnx", None, cache, 0).model.read_bytes() == large
    assert file.spans[-1] == (0, len(large))


@pytest.mark.parametrize(
    "content_range",
    [
        "bytes 0-9/*",
        "bytes 1-10/100",
        "bytes 0-8/100",
        "bytes 0-",
        "pages 0-9/100",
        "",
        "bytes 0-9/" + "9" * 99,
    ],
)
def test_an_unusable_content_range_leads_to_a_request_for_the_whole(
    web, model, cache, content_range
):
    def answer(handler):
        if handler.headers["Range"] is None:
            handler.reply(200, model)
            return
        handler.send_response(206)
        handler.send_header("ETag", '"1"')
        handler.send_header("Content-Range", content_range)
        handler.send_header("Content-Length", "10")
        handler.end_headers()
        handler.wfile.write(model[:10])

    web.files["/x.onnx"] = answer
    assert fetch(f"{web.url}/x.onnx", None, cache, 0).model.read_bytes() == model


def test_an_object_whose_tag_always_changes_is_read_in_one_response(web, file, large, cache):
    file.fickle = True
    assert fetch(f"{web.url}/x.onnx", None, cache, PATIENCE).model.read_bytes() == large
    assert file.spans[-1] == (0, len(large))


def test_after_a_cut_only_the_rest_is_requested(web, file, large, cache):
    file.cuts = [3 * MEBIBYTE, PART_BYTES, MEBIBYTE + 1]
    artifact = fetch(f"{web.url}/x.onnx", None, cache, PATIENCE)
    assert artifact.model.read_bytes() == large
    assert file.sent == len(large)


def test_a_download_with_many_cuts_continues_while_bytes_arrive(web, file, large, cache):
    file.cuts = [MEBIBYTE] * (4 * WORKERS)
    artifact = fetch(f"{web.url}/x.onnx", None, cache, 0.6)
    assert artifact.model.read_bytes() == large
    assert file.sent == len(large)


def test_a_failed_download_keeps_its_bytes_for_the_next_process(web, file, large, cache):
    digest = digest_of(large)
    file.cuts = [MEBIBYTE] * WORKERS
    with pytest.raises(StorageError) as caught:
        fetch(f"{web.url}/x.onnx", digest, cache, 0)
    assert caught.value.reason is LoadFailure.STORE_UNREACHABLE
    assert "before the connection ended" in caught.value.message
    fetch(f"{web.url}/x.onnx", digest, cache, 0)
    assert file.sent == len(large)


@pytest.mark.parametrize("honest", [True, False])
@pytest.mark.parametrize("length", [8 * PART_BYTES + 4711, 9 * PART_BYTES, 3 * PART_BYTES])
def test_an_object_overwritten_during_the_download_is_downloaded_again(
    web, file, other, cache, honest, length
):
    """Some servers would return a part of the new object for a part of the old one."""
    new = (other + other)[:length]
    file.honest = honest
    file.fuse = PART_BYTES
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(fetch(f"{web.url}/x.onnx", None, cache, PATIENCE))
    )
    thread.start()
    assert file.stuck.wait(PATIENCE)
    file.overwrite(new, '"2"')
    file.gate.set()
    thread.join(PATIENCE)
    assert answers[0].model.read_bytes() == new
    assert answers[0].digest == digest_of(new)


def test_an_object_overwritten_during_the_download_does_not_match_its_pin(
    web, file, large, other, cache
):
    file.fuse = PART_BYTES
    failures = []

    def attempt() -> None:
        with pytest.raises(StorageError) as caught:
            fetch(f"{web.url}/x.onnx", digest_of(large), cache, PATIENCE)
        failures.append(caught.value.reason)

    thread = threading.Thread(target=attempt)
    thread.start()
    assert file.stuck.wait(PATIENCE)
    file.overwrite(other, '"2"')
    file.gate.set()
    thread.join(PATIENCE)
    assert failures == [LoadFailure.DIGEST_MISMATCH]
    assert list(cache.iterdir()) == []


def test_a_bundle_of_large_files_is_resumed_after_a_cut(web, file, large, other, cache):
    files = {"model.onnx": RangedFile(large), "weights/more.bin": RangedFile(other)}
    bundle = Bundle(
        files=[
            BundleFile(path=path, digest=digest_of(each.data), size=len(each.data))
            for path, each in files.items()
        ]
    )
    web.files = {f"/b/{path}": each for path, each in files.items()}
    web.files["/b/bundle.json"] = bundle.to_bytes()
    files["weights/more.bin"].cuts = [MEBIBYTE] * WORKERS
    with pytest.raises(StorageError, match="before the connection ended"):
        fetch(f"{web.url}/b/", None, cache, 0)
    artifact = fetch(f"{web.url}/b/", None, cache, 0)
    assert (artifact.model.parent / "weights/more.bin").read_bytes() == other
    assert [each.sent for each in files.values()] == [len(large), len(other)]
    assert sorted(path.name for path in artifact.model.parent.iterdir()) == [
        *("bundle.json", "model.onnx", "weights"),
    ]
