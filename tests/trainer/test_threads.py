"""The number of threads, and how they wait."""

import os

import pytest

from perennial_trainer.threads import allowed_threads, configure_openmp


@pytest.mark.parametrize(
    ("text", "threads"), [("max 100000", 1), ("150000 100000", 1), ("50000 100000", 1), ("", 1)]
)
def test_a_quota_below_two_cpus_or_no_quota_allows_one_thread(tmp_path, text, threads):
    (tmp_path / "cpu.max").write_text(text)
    assert allowed_threads(tmp_path / "cpu.max") == threads


def test_a_quota_of_two_cpus_allows_two_threads(tmp_path, monkeypatch):
    (tmp_path / "cpu.max").write_text("250000 100000")
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert allowed_threads(tmp_path / "cpu.max") == 2


@pytest.mark.parametrize("policy", [None, "ACTIVE"])
def test_threads_wait_without_spinning_unless_the_environment_sets_it(monkeypatch, policy):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    if policy:
        monkeypatch.setenv("OMP_WAIT_POLICY", policy)
    configure_openmp(2)
    assert os.environ["OMP_WAIT_POLICY"] == (policy or "PASSIVE")
    assert os.environ["OMP_NUM_THREADS"] == "3"
