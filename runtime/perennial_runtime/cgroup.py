"""How many CPUs this process may use, as its container limits it."""

import math
import os
from pathlib import Path


def cpu_quota(root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """CPUs granted by the cgroup's quota (1.5, say); None where there is no limit.

    Reads cgroup v2 (``cpu.max``), else v1 (``cpu/cpu.cfs_quota_us``).
    """
    try:
        quota, period = (root / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    try:
        cpus = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):  # "max"
        return None
    return cpus if cpus > 0 else None  # v1 says -1 for no limit


def available_threads(limit: int | None = None, root: Path = Path("/sys/fs/cgroup")) -> int:
    """Threads worth having: the quota rounded up, not above the CPUs there are, nor ``limit``."""
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = threads or 1
    quota = cpu_quota(root)
    if quota is not None:
        threads = min(threads, math.ceil(quota))
    if limit is not None:
        threads = min(threads, limit)
    return max(threads, 1)
