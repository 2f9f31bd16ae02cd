"""The processes of a cluster: started detached, recognised beyond doubt, ended completely.

Every process carries its node's folder in its environment and hands it on to the children
that it starts. A process is ended only when it carries that mark, or sits in one
of the cluster's own cgroups. A number from a file only tells what runs, and only together
with the time at which that process started.
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
    """A process, told from any later one that gets the same number."""

    pid: int
    started: int
    """In clock ticks since the machine started."""


def identify(pid: int) -> Identity | None:
    """The identity of a live process; a zombie is not alive."""
    try:
        # The program's name stands in parentheses and may hold spaces: count from its end.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else Identity(pid, int(fields[19]))


def is_marked(pid: int, state: Path) -> bool:
    """Whether a process belongs to the node or cluster with this state folder."""
    try:
        environment = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    exact = f"{MARK}={state}".encode()
    return any(
        entry == exact or entry.startswith(exact + b"/") for entry in environment.split(b"\0")
    )


def marked(state: Path) -> set[int]:
    """All live processes of the node or cluster with this state folder."""
    return {pid for pid in _all_pids() if is_marked(pid, state)}


def write_pidfile(path: Path, identity: Identity) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{identity.pid} {identity.started}\n")


def from_pidfile(path: Path) -> int | None:
    """The process that a file names, if it is still that one."""
    try:
        pid, started = map(int, path.read_text().split())
    except (OSError, ValueError):
        return None
    return pid if identify(pid) == Identity(pid, started) else None


def start(command: Sequence[str], log: Path, environment: Mapping[str, str | Path]) -> int:
    """Start a process that outlives this one and keeps nothing of it open.

    It gets a small environment of its own: a person's proxies and tokens have no place in it.
    """
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
    """A cgroup's folder: one in version 2, one for every controller in version 1."""
    return [path for path in [CGROUPS / cgroup, *CGROUPS.glob(f"*/{cgroup}")] if path.is_dir()]


def make_cgroup(cgroup: str) -> None:
    """kubelet expects its root cgroup to be there."""
    unified = (CGROUPS / "cgroup.controllers").exists()
    mounts = [CGROUPS] if unified else [p for p in CGROUPS.iterdir() if (p / "tasks").exists()]
    for mount in mounts:
        (mount / cgroup).mkdir(exist_ok=True)


def in_cgroups(cgroups: Iterable[str]) -> set[int]:
    """All processes in these cgroups and those below them."""
    pids: set[int] = set()
    for cgroup in cgroups:
        for top in cgroup_folders(cgroup):
            # Not rglob: it fails where a group goes while its parent is being walked.
            for folder, _, _ in os.walk(top):
                try:
                    pids.update(map(int, Path(folder, "cgroup.procs").read_text().split()))
                except OSError:  # the group or its last process just went
                    continue
    return {pid for pid in pids if identify(pid)}


def remove_cgroups(cgroups: Iterable[str]) -> None:
    """Remove empty cgroups, the innermost first."""
    for cgroup in cgroups:
        for top in cgroup_folders(cgroup):
            for folder, _, _ in os.walk(top, topdown=False):
                wait_until(partial(_removed, folder), f"the cgroup {folder} to be empty")


def kill_all(find: Callable[[], set[int]]) -> None:
    """End processes hard, until no more are found: some may be starting others meanwhile.

    Hard, because an API server takes up to a minute to stop kindly and nothing here is kept.
    A process shows no environment for a moment while it turns into another program: only a
    second look in a row that finds nobody counts.
    """
    empty_looks = 0

    def gone() -> bool:
        nonlocal empty_looks
        pids = find()
        for pid in pids:
            _kill(pid, find)
        empty_looks = 0 if pids else empty_looks + 1
        return empty_looks == 2

    wait_until(gone, "the cluster's processes to end", KILL_SECONDS)


def wait_until(condition: Condition, what: str, seconds: float = 10.0) -> None:
    """Wait for a condition, checked often."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise ReportedError(f"waited {seconds:.0f} s for {what}, in vain")
        time.sleep(POLL_SECONDS)


def _kill(pid: int, find: Callable[[], set[int]]) -> None:
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        # The handle holds on to one process; only now is the check about that one.
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
