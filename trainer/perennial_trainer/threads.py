"""How many threads this container may use."""

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
