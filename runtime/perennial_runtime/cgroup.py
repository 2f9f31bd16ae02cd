"""CPU limit of this process's container, from its cgroup.

The trainer has a function of its own for this, ``perennial_trainer.threads.allowed``, because only
three lines would be common. With a quota of 1.5 CPUs a server uses two threads and a training step
one. Without a quota a server uses all CPUs, and a training step one, as it shares the machine.
"""

import math
import os
from pathlib import Path


def cpu_quota(root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Return the CPUs of the cgroup's quota, such as 1.5; None if there is no limit.

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
    return cpus if cpus > 0 else None  # in v1, -1 means no limit


def available_threads(limit: int | None = None, root: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the useful number of threads.

    It is the quota, rounded up, or the number of CPUs if there is none. ``limit`` lowers it.
    """
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = threads or 1
    quota = cpu_quota(root)
    if quota is not None:
        threads = min(threads, math.ceil(quota))
    if limit is not None:
        threads = min(threads, limit)
    return max(threads, 1)
