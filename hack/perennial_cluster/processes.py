"""Start, identify and end the processes of a cluster.

Every process has its node's folder in its environment, and its children inherit that. Only
processes with this mark, or in a cgroup of the cluster, are ended. A process id from a file only
shows that a component runs, and only together with the start time of the process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from perennial_build.errors import ReportedError

MARK = "PERENNIAL_NODE_STATE"

Condition = Callable[[], bool]
PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
POLL_SECONDS = 0.05
KILL_SECONDS = 30.0


@dataclass(frozen=True)
class Identity:
    """A process, as distinct from a later one with the same id."""

    pid: int
    started: int
    """Start time in clock ticks since the machine started."""


def identify(pid: int) -> Identity | None:
    """Return the identity of a process that runs; a zombie does not."""
    try:
        # The program's name is in parentheses and can contain spaces: count from its end.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else Identity(pid, int(fields[19]))


def is_marked(pid: int, state: Path) -> bool:
    """Return whether a process belongs to the node or cluster with this state folder."""
    try:
        environment = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    exact = f"{MARK}={state}".encode()
    return any(
        entry == exact or entry.startswith(exact + b"/") for entry in environment.split(b"\0")
    )


def marked(state: Path) -> set[int]:
    """Return all processes of the node or cluster with this state folder."""
    return {pid for pid in _all_pids() if is_marked(pid, state)}


def write_pidfile(path: Path, identity: Identity) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{identity.pid} {identity.started}\n")


def from_pidfile(path: Path) -> int | None:
    """Return the process that a file names, if it still runs."""
    try:
        pid, started = map(int, path.read_text().split())
    except (OSError, ValueError):
        return None
    return pid if identify(pid) == Identity(pid, started) else None


def start(command: Sequence[str], log: Path, environment: Mapping[str, str | Path]) -> int:
    """Start a detached process, without the user's environment and its tokens."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd="/",
            env={name: str(value) for name, value in environment.items()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return process.pid


def cgroup_folders(cgroup: str) -> list[Path]:
    """Return a cgroup's folders: in version 1, there is one for each controller."""
    return [path for path in [CGROUPS / cgroup, *CGROUPS.glob(f"*/{cgroup}")] if path.is_dir()]


def make_cgroup(cgroup: str) -> None:
    """Create the root cgroup that kubelet expects."""
    unified = (CGROUPS / "cgroup.controllers").exists()
    mounts = [CGROUPS] if unified else [p for p in CGROUPS.iterdir() if (p / "tasks").exists()]
    for mount in mounts:
        (mount / cgroup).mkdir(exist_ok=True)


def in_cgroups(cgroups: Iterable[str]) -> set[int]:
    """Return all processes in these cgroups and those below them."""
    pids: set[int] = set()
    for cgroup in cgroups:
        for top in cgroup_folders(cgroup):
            # Not rglob: it fails if a group disappears meanwhile.
            for folder, _, _ in os.walk(top):
                try:
                    pids.update(map(int, Path(folder, "cgroup.procs").read_text().split()))
                except OSError:  # the group or its last process just disappeared
                    continue
    return {pid for pid in pids if identify(pid)}


def remove_cgroups(cgroups: Iterable[str]) -> None:
    """Remove cgroups, the innermost first, as soon as they are empty."""
    for cgroup in cgroups:
        for top in cgroup_folders(cgroup):
            for folder, _, _ in os.walk(top, topdown=False):
                wait_until(partial(_removed, folder), f"the cgroup {folder} to be empty")


def kill_all(find: Callable[[], set[int]]) -> None:
    """Kill processes until no more are found.

    SIGKILL, because an API server takes up to a minute to stop, and its data is not kept. Some
    processes start others meanwhile, and a process that executes another program has no
    environment for a moment: two empty results in a row end the search.
    """
    empty_results = 0

    def gone() -> bool:
        nonlocal empty_results
        pids = find()
        for pid in pids:
            _kill(pid, find)
        empty_results = 0 if pids else empty_results + 1
        return empty_results == 2

    wait_until(gone, "the cluster's processes to end", KILL_SECONDS)


def wait_until(condition: Condition, what: str, seconds: float = 10.0) -> None:
    """Wait for a condition.

    Raises:
        ReportedError: it is not met in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise ReportedError(f"Timed out after {seconds:.0f} s, waiting for {what}")
        time.sleep(POLL_SECONDS)


def _kill(pid: int, find: Callable[[], set[int]]) -> None:
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        # The id can belong to a new process by now; the handle cannot.
        if pid in find():
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        os.close(handle)


def _removed(folder: str) -> bool:
    try:
        Path(folder).rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _all_pids() -> Iterable[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
