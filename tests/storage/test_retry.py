"""Retries: which errors, how often, and for how long."""

import pytest

from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage.errors import StorageError
from perennial_storage.fetch import fetch
from perennial_storage.retry import Retry


class Clock:
    """The module ``time`` where only sleeping takes time."""

    def __init__(self):
        self.now = 0.0
        self.delays = []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.delays.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("perennial_storage.retry.time", clock)
    return clock


def failure(uri, cache, pin=None, retry_seconds=0.0) -> StorageError:
    with pytest.raises(StorageError) as caught:
        fetch(str(uri), pin, cache, retry_seconds)
    return caught.value


def test_a_download_that_is_cut_off_is_retried(web, model, cache):
    def cut_short_once(handler):
        web.files["/x.onnx"] = model
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(model)))
        handler.end_headers()
        handler.wfile.write(model[:10])
        handler.close_connection = True

    web.files["/x.onnx"] = cut_short_once
    assert fetch(f"{web.url}/x.onnx", None, cache, 30).model.read_bytes() == model
    assert web.requests == ["/x.onnx", "/x.onnx"]


def test_only_an_unreachable_store_is_retried_and_only_for_the_time_given(web, clock, cache):
    web.files["/x.onnx"] = lambda handler: handler.reply(503, b"")
    error = failure(f"{web.url}/x.onnx", cache, retry_seconds=0.7)
    assert clock.delays == pytest.approx([0.5, 0.2])
    assert len(web.requests) == 3
    assert "(tried 3 times)" in error.message
    web.files["/x.onnx"] = lambda handler: handler.reply(403, b"")
    web.requests.clear()
    failure(f"{web.url}/x.onnx", cache, retry_seconds=60)
    assert len(web.requests) == 1


class Unreachable:
    """An operation that fails, and counts the bytes received after each attempt."""

    def __init__(self, clock, *received):
        self.clock = clock
        self.totals = [0, *received]
        self.attempts = 0

    def __call__(self):
        self.attempts += 1
        raise StorageError(LoadFailure.STORE_UNREACHABLE, "s3://models/x", "no response", "Wait")

    def received(self):
        return self.totals[min(self.attempts, len(self.totals) - 1)]


def test_delays_grow_and_the_last_attempt_is_when_the_time_is_over(clock):
    operation = Unreachable(clock)
    with pytest.raises(StorageError, match=r"x: no response \(tried 8 times\)\. Wait$"):
        Retry(30).call(operation)
    assert clock.delays == [0.5, 1, 2, 4, 8, 10, 4.5]


def test_received_bytes_extend_the_time_and_reset_the_delay(clock):
    operation = Unreachable(clock, 0, 0, 5)
    with pytest.raises(StorageError, match="tried 6 times"):
        Retry(2).call(operation, operation.received)
    assert clock.delays == [0.5, 1, 0.5, 1, 0.5]


def test_a_single_attempt_reports_no_count(clock):
    with pytest.raises(StorageError, match=r"^s3://models/x: no response\. Wait$"):
        Retry(0).call(Unreachable(clock))
    assert clock.delays == []
