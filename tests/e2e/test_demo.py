"""Demo, as ``make demo MONTHS=3`` runs it, with shorter months."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import pytest
from support.cluster import NAME, Cluster

pytestmark = pytest.mark.cluster

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights"


# The first test of a cluster: the images are built for it.
@pytest.mark.timeout(1800)
def test_three_months_pass_without_a_failed_request_and_drift_starts_a_run(
    cluster: Cluster, tmp_path: Path
) -> None:
    out = tmp_path / "demo"
    command = [sys.executable, "-m", "flights_demo", "--cluster", NAME, "--out", str(out)]
    done = subprocess.run(
        [*command, "--months", "3", "--seconds-a-month", "24"],
        env={**os.environ, "PYTHONPATH": str(FLIGHTS)},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 FAILED" in done.stdout
    with (out / "year.csv").open() as source:
        months = list(csv.DictReader(source))
    assert [month["month"] for month in months] == ["2", "3", "4"]
    for month in months:
        assert int(month["requests"]) > 360
        assert float(month["frozen_auc"]) == pytest.approx(0.9, abs=0.03)
        assert float(month["living_auc"]) > float(month["frozen_auc"]) - 0.02
    assert "retrained by" in " ".join(month["events"] for month in months), done.stdout
    assert matplotlib.image.imread(out / "year.png").shape[:2] == (1100, 2000)
    reports = list((out / "reports").glob("*.html"))
    assert reports, done.stdout
    assert all("<html" in report.read_text() for report in reports)
    pods = ("-n", "flights", "-l", "batch.kubernetes.io/job-name", "-c", "train")
    logs = cluster.kubectl("logs", *pods, "--tail=-1")
    assert "HistGradientBoosting is chosen" in logs
    assert "Warning" not in logs
    cluster.kubectl("delete", "namespace", "flights", "--wait=false")


@pytest.mark.parametrize("months", ["0", "12", "two"])
def test_an_invalid_number_of_months_is_rejected(months: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flights_demo", "--months", months],
        env={**os.environ, "PYTHONPATH": str(FLIGHTS)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert f"expected the number of months after January, 1 to 11, got '{months}'" in done.stderr
