"""Memory and CPU time of a process and its descendants, from the kernel."""

import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

PROC = Path("/proc")


def tree(pid: int) -> list[int]:
    """Return a process and its descendants, without those that have ended."""
    found = [pid]
    for parent in found:
        for task in (PROC / str(parent) / "task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def born(pid: int) -> str | None:
    """Return the start of a process in ticks since boot; ``None`` if it has ended."""
    fields = _stat(pid)
    return fields[19] if fields and fields[0] != "Z" else None


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process tree so far, in user and kernel mode."""
    return sum(map(_cpu_seconds, tree(pid)))


def _cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process from its clock, more precise than /proc."""
    clock = (~pid << 3) | 2  # clock_getcpuclockid(3), as glibc makes it on Linux
    try:
        return time.clock_gettime(clock)
    except OSError:  # it ended
        return 0.0


def _stat(pid: int) -> list[str]:
    """Return the fields of proc_pid_stat(5) from ``state`` on; none if it has ended."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def pss_mb(pid: int) -> float:
    """Return the proportional memory of a process tree, in MB of 10^6 bytes.

    Shared memory is counted once, not in each process (``Pss`` of proc_pid_smaps_rollup(5)).
    """
    return sum(map(_pss_kib, tree(pid))) * 1024 / 1e6


def _pss_kib(pid: int) -> int:
    try:
        text = (PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:  # it ended
        return 0
    return parse_pss(text)


def parse_pss(text: str) -> int:
    """Parse the KiB of a ``smaps_rollup``; 0 if a process has no memory any more.

    >>> parse_pss("0-1 ---p 00:00 0 [rollup]\\nRss:  9 kB\\nPss:  7 kB\\nPss_Anon: 5 kB\\n")
    7
    """
    found = re.search(r"^Pss: +(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) if found else 0


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MB; 0 if it has ended."""
    try:
        pages = int((PROC / str(pid) / "statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def slope_a_minute(readings: Sequence[float]) -> float:
    """Return the slope per minute of readings each second, without the first tenth.

    >>> round(slope_a_minute([100 + second / 60 for second in range(600)]), 6)
    1.0
    """
    settled = np.array(readings[len(readings) // 10 :])
    if len(settled) < 2:
        return 0.0
    slope, _ = np.polyfit(np.arange(len(settled)), settled, 1)
    return float(slope) * 60
