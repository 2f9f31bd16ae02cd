"""Rounds of the benchmark: servers that start, and servers that do not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from benchmarks.serving import rounds
from benchmarks.serving.check import NotServedError
from benchmarks.serving.server import StartError
from benchmarks.serving.works import WORKS


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, server: Any) -> rounds.Bench:
    """Run a round of one server and one work."""
    work = next(work for work in WORKS if (work.model, work.protocol) == ("tabular", "json"))
    peer: Any = SimpleNamespace(key="other", title="Other", protocols=lambda: ("json",))
    model: Any = None
    monkeypatch.setattr(rounds, "build", lambda work, model: None)
    monkeypatch.setattr(rounds, "running", server)
    plan = rounds.Plan([(peer, Path())], [work], None, 1, 1, None, False, folder)
    bench = rounds.Bench(plan, {"tabular": model})
    bench.run()
    return bench


def test_a_server_that_does_not_start_is_reported_and_left_out(monkeypatch, tmp_path, capsys):
    @contextmanager
    def running(*_: object) -> Iterator[None]:
        raise StartError("no port")
        yield

    bench = run(monkeypatch, tmp_path, running)
    assert "Other, tabular: DOES NOT START: no port" in capsys.readouterr().out
    assert list(bench.not_served.values()) == ["does not start: no port"]


def test_a_server_is_reported_with_the_time_of_its_start(monkeypatch, tmp_path, capsys):
    @contextmanager
    def running(*_: object) -> Iterator[Any]:
        yield SimpleNamespace(start_s=1.25, ports=None)

    def check(*_: object) -> int:
        raise NotServedError("status 404")

    monkeypatch.setattr(rounds, "check", check)
    bench = run(monkeypatch, tmp_path, running)
    assert "Other, tabular: answers after 1.25 s" in capsys.readouterr().out
    assert list(bench.not_served.values()) == ["status 404"]
