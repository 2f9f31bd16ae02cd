"""Readers of the output of wrk, h2load and the kernel."""

import pytest
from benchmarks.serving import exchange, processes
from benchmarks.serving.load import LoadError, parse_h2load, parse_wrk
from benchmarks.serving.text import LONGEST, one_line

WRK = """Running 3s test @ http://127.0.0.1:8080/v2/models/m/infer
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   512.00us  100.00us   9.10ms   91.00%
Requests/sec:  30000.00
summary: {"requests": 90000, "microseconds": 3000000, "bytes": 22500000, "p50": 510.0, \
"p99": 1360.5, "connect": 0, "read": 0, "write": 0, "status": 0, "timeout": 0}
"""
H2LOAD = """starting benchmark...
spawning thread #0: 2 total client(s). Timing-based test with 0s of warm-up time and 1s of main
duration for measurements.
Main benchmark duration is over for thread #0. Stopping all clients.

finished in 1.00s, 4.00 req/s, 1.21KB/s
requests: 4 total, 6 started, 4 done, 4 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 4 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 1.21KB (1240) total, 112B (112) headers (space savings 80.00%), 400B (400) data
                     min         max         mean         sd        +/- sd
time for request:      100us       400us       250us       129us    50.00%
"""
LOG = "1000\t200\t100\n1100\t200\t200\n1200\t200\t300\n1300\t200\t400\n1400\t-1\t900000\n"


def test_wrk_summary_is_read() -> None:
    load = parse_wrk(WRK)
    assert load.rps == 30000
    assert (load.p50_ms, load.p99_ms) == (0.51, 1.3605)
    assert load.bytes_each == 250
    assert load.failed == {}


def test_failures_that_wrk_counts_are_named() -> None:
    load = parse_wrk(WRK.replace('"status": 0', '"status": 7'))
    with pytest.raises(LoadError, match="7 status of 90000 requests failed"):
        load.verify(250, 0.02)


def test_wrk_without_a_summary_is_an_error_with_its_words() -> None:
    with pytest.raises(LoadError, match="unable to connect"):
        parse_wrk("unable to connect to 127.0.0.1:1 Connection refused")


def test_h2load_summary_is_read_and_streams_cut_at_its_end_are_left_out() -> None:
    load = parse_h2load(H2LOAD, LOG)
    assert load.rps == 4
    assert load.p50_ms == pytest.approx(0.25)
    assert load.p99_ms == pytest.approx(0.397)
    assert load.bytes_each == 100
    assert load.failed == {}


def test_grpc_errors_that_have_status_200_show_by_their_length() -> None:
    load = parse_h2load(H2LOAD.replace("(400) data", "(0) data"), LOG)
    with pytest.raises(LoadError, match="answers had 0 bytes, a right one has 100"):
        load.verify(100, 0.02)


def test_answers_of_about_the_right_length_pass() -> None:
    load = parse_h2load(H2LOAD, LOG)
    load.verify(99, 0.02)
    with pytest.raises(LoadError, match="answers had 100 bytes"):
        load.verify(90, 0.02)


def test_failed_streams_are_reported() -> None:
    output = H2LOAD.replace("4 succeeded, 0 failed", "3 succeeded, 1 failed")
    assert parse_h2load(output, LOG).failed == {"failed": 1, "lost": 1}


def test_a_run_without_an_answer_is_no_measurement() -> None:
    load = parse_wrk(WRK.replace('"requests": 90000', '"requests": 0'))
    with pytest.raises(LoadError, match="no request was answered"):
        load.verify(250, 0.02)


def test_h2load_without_a_summary_is_an_error() -> None:
    with pytest.raises(LoadError, match="no summary"):
        parse_h2load("finished in 1.00s, 0 req/s", "")


@pytest.mark.parametrize(
    ("rest", "body"),
    [
        (b"Content-Length: 5\r\n\r\nhello", b"hello"),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=1\r\n ok\r\n0\r\n\r\n", b"hello ok"),
        (b"Content-Length: 0\r\n\r\n", b""),
    ],
)
def test_a_response_is_whole_only_at_its_last_byte(rest: bytes, body: bytes) -> None:
    received = b"HTTP/1.1 200 OK\r\nServer: x\r\n" + rest
    for end in range(len(received)):
        assert exchange.parse(received[:end]) is None
    answer = exchange.parse(received)
    assert answer is not None
    assert (answer.status, answer.body, answer.size) == (200, body, len(received))
    assert answer.headers["server"] == "x"


def test_memory_is_read_from_the_rollup() -> None:
    assert processes.parse_pss("7f-80 ---p 0 [rollup]\nRss:    99 kB\nPss:    42 kB\n") == 42
    assert processes.parse_pss("") == 0


def test_a_process_has_itself_in_its_tree_and_some_memory() -> None:
    import os

    assert os.getpid() in processes.tree(os.getpid())
    assert 1 < processes.pss_mb(os.getpid()) <= processes.resident_mb(os.getpid()) * 1.5
    assert processes.born(os.getpid()) is not None
    assert processes.cpu_seconds(os.getpid()) > 0


def test_the_slope_is_per_minute_and_leaves_out_the_first_tenth() -> None:
    readings = [0.0] * 60 + [100 + second / 120 for second in range(540)]
    assert processes.slope_a_minute(readings) == pytest.approx(0.5)
    assert processes.slope_a_minute([1.0]) == 0


def test_long_texts_are_cut_in_their_middle() -> None:
    assert one_line("a\n  b") == "a b"
    cut = one_line("begin " + "x" * 1000 + " end")
    assert cut.startswith("begin")
    assert cut.endswith("end")
    assert len(cut) <= LONGEST + 10
