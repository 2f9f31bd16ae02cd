"""Pictures of any measurements; a warning of matplotlib fails the test."""

from pathlib import Path

from benchmarks.serving import plot
from benchmarks.serving.report import IN_PROCESS, Results, Sample
from benchmarks.serving.works import WORKS

TITLES = {"perennial": "Perennial", "triton": "Triton"}


def sample(server: str, connections: int, rps: float) -> Sample:
    return Sample(WORKS[0].key, server, connections, rps, 1.0, 2.0, 50.0, 0.5, 30.0)


def test_works_that_no_server_does_have_no_panel(tmp_path: Path) -> None:
    results = Results([sample("perennial", 16, 9000.0), sample(IN_PROCESS, 1, 100000.0)])
    plot.draw(results, WORKS, TITLES, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_without_any_figure_there_is_still_a_file(tmp_path: Path) -> None:
    plot.draw(Results([]), WORKS, TITLES, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 0
