"""Large models in parts: what arrives is kept, and what was overwritten is noticed."""

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


def test_a_large_object_is_asked_for_once_in_parts(web, file, large, cache):
    artifact = fetch(f"{web.url}/x.onnx", digest_of(large), cache, 0)
    assert artifact.model.read_bytes() == large
    assert sorted(file.spans) == [
        (at, min(at + PART_BYTES, len(large))) for at in range(0, len(large), PART_BYTES)
    ]
    assert file.sent == len(large)


def test_several_parts_are_under_way_at_once(web, file, large, cache):
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
def test_what_cannot_be_told_from_a_later_version_is_read_in_one_go(web, file, large, cache, etag):
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
def test_a_server_that_answers_ranges_in_its_own_way_is_asked_for_the_whole(
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


def test_a_server_whose_tags_always_change_is_read_in_one_go(web, file, large, cache):
    file.fickle = True
    assert fetch(f"{web.url}/x.onnx", None, cache, PATIENCE).model.read_bytes() == large
    assert file.spans[-1] == (0, len(large))


def test_after_a_cut_only_the_rest_is_asked_for(web, file, large, cache):
    file.cuts = [3 * MEBIBYTE, PART_BYTES, MEBIBYTE + 1]
    artifact = fetch(f"{web.url}/x.onnx", None, cache, PATIENCE)
    assert artifact.model.read_bytes() == large
    assert file.sent == len(large)


def test_a_line_that_keeps_breaking_is_tried_as_long_as_something_comes(web, file, large, cache):
    file.cuts = [MEBIBYTE] * (4 * WORKERS)
    artifact = fetch(f"{web.url}/x.onnx", None, cache, 0.6)
    assert artifact.model.read_bytes() == large
    assert file.sent == len(large)


def test_a_server_that_stops_answering_is_given_up_with_what_came_kept(web, file, large, cache):
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
def test_an_object_that_is_overwritten_under_way_is_got_anew(
    web, file, other, cache, honest, length
):
    """Also from a server that would give a part of the new one for a part of the old one."""
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


def test_an_object_that_is_overwritten_under_way_is_not_what_was_pinned(
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


def test_a_bundle_of_large_files_goes_on_where_it_broke_off(web, file, large, other, cache):
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
