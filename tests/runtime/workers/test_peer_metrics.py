"""Each worker reports the sums of all, or that they are unknown."""

import socket
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from perennial_contracts.wire.counters import Counters
from perennial_runtime.errors import UnavailableError
from perennial_runtime.metrics import Metrics, RunTotals
from perennial_runtime.workers import peer_metrics
from perennial_runtime.workers.peer_metrics import PeerMetrics


def sample(text, name):
    """Return the value of a metric that has one sample."""
    (line,) = [line for line in text.splitlines() if line.startswith(name)]
    return float(line.rpartition(" ")[2])


@pytest.fixture
def directory():
    with tempfile.TemporaryDirectory() as path:  # a socket's path must be short
        yield Path(path)


@pytest.fixture
def view_of(directory):
    """Function that creates the view of a worker, which is loading if rows is None."""
    with ExitStack() as stack:

        def make(number, rows):
            metrics = Metrics()
            view = PeerMetrics(metrics, directory, number)
            stack.push(suppress(OSError))  # a test may have closed it
            stack.callback(view.close)
            if rows is not None:
                metrics.ran((0.5,), 1.0)
                view.serve(lambda: Counters(instance="i", digest="d", rows=rows))
            return view

        yield make


def test_all_workers_report_the_same_sums(view_of):
    views = [view_of(number, rows) for number, rows in ((1, 5), (2, 7), (3, 0))]
    for view in views:
        assert view.counters() == Counters(instance="i", digest="d", rows=12)
        assert view.runs() == RunTotals(3, 3, 1_500_000_000, 3_000_000_000)
        assert "perennial_runtime_queue_seconds_sum 1.5" in view.text().decode()


def test_a_worker_that_does_not_answer_makes_the_sum_unknown(view_of, directory, monkeypatch):
    monkeypatch.setattr(peer_metrics, "ANSWER_SECONDS", 0.05)
    view = view_of(1, 5)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(directory / "2"))
        silent.listen()
        for read in (view.counters, view.runs, view.text):
            with pytest.raises(UnavailableError, match="not all worker processes"):
                read()
    with pytest.raises(UnavailableError):  # it has died
        view.counters()


def test_the_counts_of_an_ended_worker_stay_and_its_gauges_do_not(view_of):
    views = [view_of(number, rows) for number, rows in ((1, 5), (2, 7), (3, 0))]
    before = views[0].text().decode().splitlines()
    views[1].close()
    for view in (views[0], views[2]):
        assert view.counters().rows == 12
        assert view.runs().runs == 3
    after = views[0].text().decode()
    held = sample("\n".join(before), "process_resident_memory_bytes")
    assert sample(after, "process_resident_memory_bytes") == pytest.approx(held * 2 / 3, rel=0.1)
    counted = [line for line in before if line.startswith("perennial_runtime_run_seconds")]
    assert counted == [line for line in after.splitlines() if line in counted]


def test_a_worker_that_ended_before_it_loaded_the_model_leaves_the_sum_unknown(view_of):
    view, ended = view_of(1, 5), view_of(2, None)
    ended.close()
    with pytest.raises(UnavailableError):
        view.counters()
    assert view.runs().runs == 1


def test_until_all_workers_have_the_model_the_sum_is_unknown(view_of):
    view = view_of(1, 5)
    view_of(2, None)
    with pytest.raises(UnavailableError):
        view.counters()
    assert view.runs().runs == 1
