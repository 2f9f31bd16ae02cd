import os

import pytest

from perennial_runtime.cgroup import available_threads, cpu_quota


@pytest.mark.parametrize(
    ("text", "cpus"), [("150000 100000", 1.5), ("max 100000", None), ("50000 100000", 0.5)]
)
def test_the_quota_is_read_from_cgroup_v2(tmp_path, text, cpus):
    (tmp_path / "cpu.max").write_text(f"{text}\n")
    assert cpu_quota(tmp_path) == cpus


@pytest.mark.parametrize(("quota", "cpus"), [("250000", 2.5), ("-1", None)])
def test_the_quota_is_read_from_cgroup_v1(tmp_path, quota, cpus):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert cpu_quota(tmp_path) == cpus


def test_without_cgroups_there_is_no_quota(tmp_path):
    assert cpu_quota(tmp_path) is None


@pytest.mark.parametrize(
    ("quota", "limit", "threads"), [("10000", None, 1), ("110000", None, 2), ("110000", 1, 1)]
)
def test_threads_follow_the_quota_rounded_up(tmp_path, monkeypatch, quota, limit, threads):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    (tmp_path / "cpu.max").write_text(f"{quota} 100000")
    assert available_threads(limit, tmp_path) == threads


def test_threads_never_exceed_the_cpus(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    (tmp_path / "cpu.max").write_text("900000 100000")
    assert available_threads(None, tmp_path) == 2
