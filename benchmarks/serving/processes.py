"""Memory and CPU time of a process and all that it started, as the kernel tells them."""

import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

PROC = Path("/proc")


def tree(pid: int) -> list[int]:
    """A process and its descendants; those that end meanwhile are left out."""
    found = [pid]
    for parent in found:
        for task in (PROC / str(parent) / "task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def born(pid: int) -> str | None:
    """When a process started, in clock ticks since boot; None when it is gone."""
    fields = _stat(pid)
    return fields[19] if fields and fields[0] != "Z" else None


def cpu_seconds(pid: int) -> float:
    """CPU time that a process tree has used so far, in user and kernel mode."""
    return sum(map(_cpu_seconds, tree(pid)))


def _cpu_seconds(pid: int) -> float:
    """Of one process, from the clock that it has: to the nanosecond, where /proc has ticks."""
    clock = (~pid << 3) | 2  # clock_getcpuclockid(3), as glibc makes it on Linux
    try:
        return time.clock_gettime(clock)
    except OSError:  # it ended
        return 0.0


def _stat(pid: int) -> list[str]:
    """The fields of proc_pid_stat(5) from ``state`` on; none when the process is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def pss_mb(pid: int) -> float:
    """Proportional resident memory of a process tree, in MB of 10^6 bytes.

    What processes share is counted once, not in each (``Pss`` of proc_pid_smaps_rollup(5)).
    """
    return sum(map(_pss_kib, tree(pid))) * 1024 / 1e6


def _pss_kib(pid: int) -> int:
    try:
        text = (PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:  # it ended
        return 0
    return parse_pss(text)


def parse_pss(text: str) -> int:
    """KiB, from a ``smaps_rollup``; 0 where a process has no memory of its own any more.

    >>> parse_pss("0-1 ---p 00:00 0 [rollup]\\nRss:  9 kB\\nPss:  7 kB\\nPss_Anon: 5 kB\\n")
    7
    """
    found = re.search(r"^Pss: +(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) if found else 0


def resident_mb(pid: int) -> float:
    """Resident memory of one process in MB of 10^6 bytes; 0 when it is gone."""
    try:
        pages = int((PROC / str(pid) / "statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def slope_a_minute(readings: Sequence[float]) -> float:
    """The least-squares slope of readings taken each second, without the first tenth, per minute.

    >>> round(slope_a_minute([100 + second / 60 for second in range(600)]), 6)
    1.0
    """
    settled = np.array(readings[len(readings) // 10 :])
    if len(settled) < 2:
        return 0.0
    slope, _ = np.polyfit(np.arange(len(settled)), settled, 1)
    return float(slope) * 60
