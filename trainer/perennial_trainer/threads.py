"""How many threads this container may use, and how they wait."""

import math
import os
from pathlib import Path

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")


def allowed(cpu_max: Path = CPU_MAX) -> int:
    """The CPU quota in whole CPUs; 1 without a quota, for then the machine is shared."""
    try:
        quota, period = cpu_max.read_text().split()
        granted = int(quota) / int(period)
    except (OSError, ValueError):
        return 1
    return max(1, min(math.floor(granted), os.cpu_count() or 1))


def settle_openmp(threads: int | None = None) -> None:
    """Sets what OpenMP reads as it is loaded, where the environment does not say otherwise.

    Threads that spin while they wait keep the CPU from who shares it: with two threads, beside
    other work on two CPUs, a fit of 60,000 rows took 259 s spinning and 5 s waiting.

    Args:
        threads: most of a team; OpenMP's own choice where absent.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if threads is not None:
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
