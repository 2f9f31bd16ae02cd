"""The cache that processes share: resume, wait, sweep, and a disk that fills up."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from support.runtime import without_settings

from perennial_contracts.wire.bundle import Bundle, BundleFile
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.formats import HEAD_BYTES
from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage.errors import StorageError
from perennial_storage.fetch import fetch
from perennial_storage.parts import PART_BYTES

PATIENCE = 60.0


def until(condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def run():
    """Starts processes that resolve a model, with their logs as attributes."""
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
            env=without_settings(),
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


def killed_in_the_middle(run, web, file, cache, digest) -> int:
    """Kill a process in the middle of a download; return the bytes it was sent."""
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


def test_the_next_process_resumes_the_download_of_a_killed_one(run, web, file, large, cache):
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


def test_a_damaged_partial_download_is_replaced(run, web, file, large, cache):
    """After a crash a disk may hold anything; here, other bytes."""
    digest = digest_of(large)
    killed_in_the_middle(run, web, file, cache, digest)
    (left,) = cache.glob(".partial-*/files/model.onnx")
    with left.open("r+b") as stream:
        stream.write(b"????")
    assert fetch(f"{web.url}/x.onnx", digest, cache, 0).model.read_bytes() == large


@pytest.mark.parametrize("damage", ["record", "short", "none"])
def test_a_record_that_does_not_match_the_file_is_ignored(run, web, file, large, cache, damage):
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


def test_a_download_of_an_overwritten_object_is_not_resumed(run, web, file, large, cache):
    digest = digest_of(large)
    killed_in_the_middle(run, web, file, cache, digest)
    file.overwrite(large, '"2"')
    assert fetch(f"{web.url}/x.onnx", digest, cache, PATIENCE).model.read_bytes() == large


def test_without_a_known_digest_a_download_is_not_resumed(run, web, file, large, cache):
    killed_in_the_middle(run, web, file, cache, None)
    (left,) = cache.glob(".partial-*")
    file.spans.clear()
    assert fetch(f"{web.url}/x.onnx", None, cache, 0).digest == digest_of(large)
    assert sum(end - start for start, end in file.spans) == len(large)
    assert not left.exists()


def test_two_concurrent_processes_download_once(run, web, file, large, cache):
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


def test_a_waiting_process_resumes_the_download_of_a_killed_one(run, web, file, large, cache):
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
    assert any("resuming the download" in line for line in second.log)
    assert (cache / digest.replace(":", "-") / "model.onnx").read_bytes() == large


def test_another_model_does_not_wait(run, web, file, model, large, cache):
    file.fuse = 3 * PART_BYTES
    process = run(f"{web.url}/x.onnx", cache, digest_of(large))
    assert file.stuck.wait(PATIENCE)
    web.files["/y.onnx"] = model
    assert fetch(f"{web.url}/y.onnx", digest_of(model), cache, 0).model.read_bytes() == model
    assert process.poll() is None
    file.gate.set()
    assert process.wait(PATIENCE) == 1
    assert (cache / digest_of(large).replace(":", "-") / "model.onnx").read_bytes() == large


def test_an_abandoned_download_is_removed_after_a_day(run, web, file, model, large, cache):
    killed_in_the_middle(run, web, file, cache, digest_of(large))
    (left,) = cache.glob(".partial-*")
    web.files["/y.onnx"] = model
    fetch(f"{web.url}/y.onnx", None, cache, 0)
    assert left.exists()
    os.utime(left, times=(0, 0))
    fetch(f"{web.url}/y.onnx", None, cache, 0)
    assert not left.exists()


def test_a_full_disk_is_reported_with_the_missing_room(web, cache):
    size = 2**60
    files = [BundleFile(path="model.onnx", digest="sha256:" + "0" * 64, size=size)]
    web.files["/b/bundle.json"] = Bundle(files=files).to_bytes()
    with pytest.raises(StorageError) as caught:
        fetch(f"{web.url}/b/", None, cache, 0)
    assert caught.value.reason is LoadFailure.INTERNAL_ERROR
    assert f"the model needs {size >> 20} MiB more" in caught.value.message
    assert "MiB are free. Set --cache-dir" in caught.value.message
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


def test_a_disk_that_fills_up_is_reported_and_freed(web, large, small_disk):
    def without_length(handler):
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        try:
            handler.wfile.write(large)
        except ConnectionError:
            handler.close_connection = True

    web.files["/x.onnx"] = without_length
    with pytest.raises(StorageError) as caught:
        fetch(f"{web.url}/x.onnx", digest_of(large), small_disk, 0)
    assert caught.value.reason is LoadFailure.INTERNAL_ERROR
    assert "No space left on device (0 MiB of 4 MiB are free)" in caught.value.message
    assert list(small_disk.iterdir()) == []
