"""Medians, ratios and verdicts of samples."""

import pytest
from benchmarks.serving.report import IN_PROCESS, Results, Sample, Target, table, verdicts
from benchmarks.serving.works import WORKS, Work

WORK = Work("w", "the work", "tabular", "json", 1, (1, 16))


def sample(server: str, rps: float, connections: int = 16, **figures: float) -> Sample:
    rest = {"p50_ms": 1.0, "p99_ms": 2.0, "rss_mb": 50.0, "start_s": 0.5, "cpu_us": 30.0} | figures
    return Sample("w", server, connections, rps, **rest)


def test_each_figure_is_the_median_of_the_rounds() -> None:
    results = Results(
        [
            sample("triton", 100, p99_ms=9),
            sample("triton", 300, p99_ms=1),
            sample("triton", 200, p99_ms=5),
        ]
    )
    found = results.at("w", "triton", 16)
    assert found is not None
    assert (found.rps, found.p99_ms) == (200, 5)
    assert results.at("w", "triton", 1) is None


def test_a_ratio_is_of_the_same_work_and_connections() -> None:
    results = Results(
        [
            sample("perennial", 3000),
            sample("perennial", 10, connections=1),
            sample("triton", 2000),
            sample(IN_PROCESS, 6000, connections=1),
        ]
    )
    assert results.ratio("w", 16, "triton") == pytest.approx(1.5)
    assert results.ratio("w", 16, IN_PROCESS) == pytest.approx(0.5)
    assert results.ratio("w", 1, "triton") is None
    assert results.ratio("w", 16, "kserve") is None


def test_a_target_is_met_at_its_ratio_and_not_below() -> None:
    results = Results([sample("perennial", 130), sample("triton", 100), sample("kserve", 131)])
    targets = [Target(peer, "w", 16, peer, 1.3) for peer in ("triton", "mlserver")]
    targets.append(Target("kserve", "w", 16, "kserve", 1.0))
    met, unknown, missed = verdicts(results, targets)
    assert met.endswith("1.30 x  met")
    assert unknown.endswith("not measured")
    assert missed.endswith("0.99 x  NOT MET")


def test_the_table_has_every_server_or_why_it_is_not_there() -> None:
    results = Results(
        [sample(IN_PROCESS, 6000, 1), sample("perennial", 3000), sample("triton", 2000)]
    )
    titles = {"perennial": "Perennial", "triton": "Triton", "mlserver": "MLServer", "x": "X"}
    lines = list(
        table(
            results,
            [WORK],
            titles,
            {("mlserver", "w"): "400: no"},
            {("x", "w", 16): "no request was answered"},
        )
    )
    assert "the work" in lines
    (ours,) = [line for line in lines if "Perennial " in line and "3000" in line]
    (theirs,) = [line for line in lines if "Triton" in line]
    (limit,) = [line for line in lines if "in process" in line]
    assert ours.split()[:3] == ["Perennial", "16", "3000"]
    assert theirs.split()[-1] == "1.50"
    assert limit.endswith("0.50 at best")
    assert any("MLServer" in line and "not served: 400: no" in line for line in lines)
    assert any("X " in line and "left out: no request was answered" in line for line in lines)


def test_a_record_has_the_fields_of_the_file() -> None:
    assert sample("triton", 1234.56789).record() == {
        "work": "w",
        "server": "triton",
        "connections": 16,
        "rps": 1234.568,
        "p50_ms": 1.0,
        "p99_ms": 2.0,
        "rss_mb": 50.0,
        "start_s": 0.5,
        "cpu_us": 30.0,
    }


def test_the_designs_targets_name_works_and_connections_that_are_measured() -> None:
    from benchmarks.serving.report import TARGETS

    measured = {(work.key, count) for work in WORKS for count in work.connections}
    assert {(target.work, target.connections) for target in TARGETS} <= measured
