"""Large models in parts: what arrives is kept, and what was overwritten is noticed."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from support.ranged import RangedFile

from perennial_contracts.wire.bundle import Bundle, BundleFile
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.formats import HEAD_BYTES
from perennial_contracts.wire.outcome import LoadFailure
from perennial_runtime.errors import LoadError
from perennial_runtime.fetching.download import WORKERS
from perennial_runtime.fetching.fetch import fetch
from perennial_runtime.fetching.parts import PART_BYTES

MEBIBYTE = 1024 * 1024
PATIENCE = 60.0


@pytest.fixture(scope="module")
def large() -> bytes:
    """Eight parts and a bit."""
    return os.urandom(8 * PART_BYTES + 4711)


@pytest.fixture(scope="module")
def other() -> bytes:
    return os.urandom(8 * PART_BYTES + 4711)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def file(web, large):
    served = RangedFile(large)
    web.files["/x.onnx"] = served
    yield served
    served.gate.set()


def until(condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def run(clean_environment):
    """Starts processes that look a model up; gives them, and their logs as they come."""
    started = []

    def start(uri, cache, digest=None):
        pin = ["--digest", digest] if digest else []
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "perennial_runtime", "resolve", uri, *pin),
                *("--cache-dir", str(cache), "--log-format", "json"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment,
        )
        process.log = []
        reader = threading.Thread(target=lambda: process.log.extend(process.stderr), daemon=True)
        reader.start()
        started.append((process, reader))
        return process

    yield start
    for process, reader in started:
        process.kill()
        process.wait(PATIENCE)
        reader.join(PATIENCE)
        process.stderr.close()


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
    web, affine, cache, content_range
):
    def answer(handler):
        if handler.headers["Range"] is None:
            handler.reply(200, affine)
            return
        handler.send_response(206)
        handler.send_header("ETag", '"1"')
        handler.send_header("Content-Range", content_range)
        handler.send_header("Content-Length", "10")
        handler.end_headers()
        handler.wfile.write(affine[:10])

    web.files["/x.onnx"] = answer
    assert fetch(f"{web.url}/x.onnx", None, cache, 0).model.read_bytes() == affine


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
    with pytest.raises(LoadError) as caught:
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
        with pytest.raises(LoadError) as caught:
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


def killed_in_the_middle(run, web, file, cache, digest) -> int:
    """Kills a process that has noted a part of the file; what the server has sent to it."""
    file.fuse = 5 * PART_BYTES
    process = run(f"{web.url}/x.onnx", cache, digest)
    assert file.stuck.wait(PATIENCE)
    if digest is None:
        until(lambda: list(cache.glob(".partial-*/files/model.onnx")))
    else:
        until(lambda: list(cache.glob(".partial-*/*.json")))
    process.send_signal(signal.SIGKILL)
    assert process.wait(PATIENCE) == -signal.SIGKILL
    file.gate.set()
    file.fuse = None
    return file.sent


def test_the_next_process_goes_on_where_one_was_killed(run, web, file, large, cache):
    digest = digest_of(large)
    killed_in_the_middle(run, web, file, cache, digest)
    (record,) = cache.glob(".partial-*/*.json")
    file.spans.clear()
    artifact = fetch(f"{web.url}/x.onnx", digest, cache, 0)
    assert artifact.model.read_bytes() == large
    asked = sum(end - start for start, end in file.spans)
    assert asked <= len(large) - PART_BYTES
    assert [path.name for path in cache.iterdir()] == [digest.replace(":", "-")]
    assert not record.exists()


def test_what_a_killed_process_left_is_not_believed(run, web, file, large, cache):
    """A disk can hold anything after a crash; here, other bytes."""
    digest = digest_of(large)
    killed_in_the_middle(run, web, file, cache, digest)
    (left,) = cache.glob(".partial-*/files/model.onnx")
    with left.open("r+b") as stream:
        stream.write(b"????")
    assert fetch(f"{web.url}/x.onnx", digest, cache, 0).model.read_bytes() == large


@pytest.mark.parametrize("damage", ["record", "short", "none"])
def test_records_that_do_not_fit_the_file_are_not_believed(run, web, file, large, cache, damage):
    digest = digest_of(large)
    killed_in_the_middle(run, web, file, cache, digest)
    (left,) = cache.glob(".partial-*/files/model.onnx")
    (record,) = cache.glob(".partial-*/*.json")
    if damage == "record":
        record.write_bytes(record.read_bytes()[:-5])
    elif damage == "short":
        os.truncate(left, 100)
    else:
        left.unlink()
    file.spans.clear()
    assert fetch(f"{web.url}/x.onnx", digest, cache, 0).model.read_bytes() == large
    assert sum(end - start for start, end in file.spans) == len(large)


def test_nobody_goes_on_with_what_was_overwritten_meanwhile(run, web, file, large, cache):
    digest = digest_of(large)
    killed_in_the_middle(run, web, file, cache, digest)
    file.overwrite(large, '"2"')
    assert fetch(f"{web.url}/x.onnx", digest, cache, PATIENCE).model.read_bytes() == large


def test_without_a_digest_to_hold_it_to_what_was_left_is_not_taken_up(run, web, file, large, cache):
    killed_in_the_middle(run, web, file, cache, None)
    (left,) = cache.glob(".partial-*")
    file.spans.clear()
    assert fetch(f"{web.url}/x.onnx", None, cache, 0).digest == digest_of(large)
    assert sum(end - start for start, end in file.spans) == len(large)
    assert not left.exists()


def test_two_processes_at_once_download_once(run, web, file, large, cache):
    digest = digest_of(large)
    file.fuse = 3 * PART_BYTES
    processes = [run(f"{web.url}/x.onnx", cache, digest) for _ in range(2)]
    assert file.stuck.wait(PATIENCE)
    waiting = "waiting for another process"
    until(lambda: any(waiting in line for each in processes for line in each.log))
    file.gate.set()
    for process in processes:
        assert process.wait(PATIENCE) == 1  # random bytes are no model
    # Each looks at the head once more: it may be what a framework saved.
    assert file.sent == len(large) + 2 * HEAD_BYTES
    assert [path.name for path in cache.iterdir()] == [digest.replace(":", "-")]


def test_one_who_waits_takes_over_from_one_who_is_killed(run, web, file, large, cache):
    digest = digest_of(large)
    file.fuse = 5 * PART_BYTES
    first = run(f"{web.url}/x.onnx", cache, digest)
    assert file.stuck.wait(PATIENCE)
    until(lambda: list(cache.glob(".partial-*/*.json")))
    second = run(f"{web.url}/x.onnx", cache, digest)
    until(lambda: any("waiting for another process" in line for line in second.log))
    first.send_signal(signal.SIGKILL)
    first.wait(PATIENCE)
    file.gate.set()
    second.wait(PATIENCE)
    assert any("goes on where it broke off" in line for line in second.log)
    assert (cache / digest.replace(":", "-") / "model.onnx").read_bytes() == large


def test_another_model_is_not_kept_waiting(run, web, file, affine, large, cache):
    file.fuse = 3 * PART_BYTES
    process = run(f"{web.url}/x.onnx", cache, digest_of(large))
    assert file.stuck.wait(PATIENCE)
    web.files["/y.onnx"] = affine
    assert fetch(f"{web.url}/y.onnx", digest_of(affine), cache, 0).model.read_bytes() == affine
    assert process.poll() is None
    file.gate.set()
    assert process.wait(PATIENCE) == 1
    assert (cache / digest_of(large).replace(":", "-") / "model.onnx").read_bytes() == large


def test_what_nobody_goes_on_with_is_removed_after_a_day(run, web, file, affine, large, cache):
    killed_in_the_middle(run, web, file, cache, digest_of(large))
    (left,) = cache.glob(".partial-*")
    web.files["/y.onnx"] = affine
    fetch(f"{web.url}/y.onnx", None, cache, 0)
    assert left.exists()
    os.utime(left, times=(0, 0))
    fetch(f"{web.url}/y.onnx", None, cache, 0)
    assert not left.exists()


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
    with pytest.raises(LoadError, match="before the connection ended"):
        fetch(f"{web.url}/b/", None, cache, 0)
    artifact = fetch(f"{web.url}/b/", None, cache, 0)
    assert (artifact.model.parent / "weights/more.bin").read_bytes() == other
    assert [each.sent for each in files.values()] == [len(large), len(other)]
    assert sorted(path.name for path in artifact.model.parent.iterdir()) == [
        *("bundle.json", "model.onnx", "weights"),
    ]


def test_a_disk_without_room_says_how_much_is_missing(web, cache):
    size = 2**60
    files = [BundleFile(path="model.onnx", digest="sha256:" + "0" * 64, size=size)]
    web.files["/b/bundle.json"] = Bundle(files=files).to_bytes()
    with pytest.raises(LoadError) as caught:
        fetch(f"{web.url}/b/", None, cache, 0)
    assert caught.value.reason is LoadFailure.INTERNAL_ERROR
    assert f"the model needs {size >> 20} MiB more" in caught.value.message
    assert "MiB are free. Give --cache-dir" in caught.value.message
    assert web.requests == ["/b/bundle.json"]


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    try:
        subprocess.run(mounting, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a small disk cannot be mounted here: {error}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_up_under_way_is_said_so_and_made_free_again(web, large, small_disk):
    def without_length(handler):
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        try:
            handler.wfile.write(large)
        except ConnectionError:
            handler.close_connection = True

    web.files["/x.onnx"] = without_length
    with pytest.raises(LoadError) as caught:
        fetch(f"{web.url}/x.onnx", digest_of(large), small_disk, 0)
    assert caught.value.reason is LoadFailure.INTERNAL_ERROR
    assert "No space left on device (0 MiB of 4 MiB are free)" in caught.value.message
    assert list(small_disk.iterdir()) == []


def test_credentials_do_not_follow_to_another_host(web, affine, cache):
    elsewhere = type(web)()
    seen = []

    def give(handler):
        seen.append(handler.headers["Authorization"])
        handler.reply(200, affine)

    def send_away(handler):
        handler.send_response(302)
        handler.send_header("Location", f"{elsewhere.url}/y.onnx")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    elsewhere.files["/y.onnx"] = give
    web.files["/x.onnx"] = send_away
    url = web.url.replace("http://", "http://user:secret@")
    try:
        assert fetch(f"{url}/x.onnx", None, cache, 0).model.read_bytes() == affine
    finally:
        elsewhere.close()
    assert seen == [None]
