"""The state of local clusters between two calls: their indices and their nodes."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from perennial_build.cache import cache_root
from perennial_build.errors import ReportedError
from perennial_cluster import network
from perennial_cluster.addressing import INDICES, Cluster, check_name, lowest_free_index

RECORD = "cluster.json"


def state_root() -> Path:
    """Return the state folder of all local clusters: PERENNIAL_STATE or the default."""
    return Path(os.environ.get("PERENNIAL_STATE") or "/var/lib/perennial")


def clusters_root() -> Path:
    return state_root() / "clusters"


def lock_file() -> Path:
    """Return the lock of all changes of clusters.

    Two calls of `up` must not take the same index. The lock is in the cache: a file that disappears
    with the last cluster would not exclude a process that already waits for it.
    """
    return cache_root() / "clusters.lock"


@dataclass
class Record:
    """The stored state of a cluster."""

    index: int
    nodes: list[int] = field(default_factory=lambda: [0])
    stopped: list[int] = field(default_factory=list)
    """Nodes that `node stop` stopped."""


def state_folder(name: str) -> Path:
    return clusters_root() / check_name(name)


def names() -> list[str]:
    return sorted(path.parent.name for path in clusters_root().glob(f"*/{RECORD}"))


def read(name: str) -> Record | None:
    """Return the record of a cluster if it exists."""
    path = state_folder(name) / RECORD
    try:
        return Record(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise ReportedError(
            f"{path} is damaged ({error}): expected an object such as"
            f" {json.dumps(asdict(Record(0)))}. Fix: correct it, or delete it and end the cluster"
        ) from None


def write(name: str, record: Record) -> None:
    """Store a record. Because of the rename, a killed call leaves no incomplete one."""
    path = state_folder(name) / RECORD
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(record)))
    draft.rename(path)


def allocate(name: str) -> Record:
    """Return a record with the lowest index that is free on this machine."""
    others = [record for other in names() if (record := read(other))]
    taken = {record.index for record in others}
    # A cluster of another state folder has a bridge.
    taken |= {index for index in INDICES if network.link_exists(Cluster("any", index).bridge)}
    record = Record(lowest_free_index(taken, network.host_networks()))
    write(name, record)
    return record


def made_folders_file() -> Path:
    return state_root() / "made-folders.json"


def made_folders() -> list[str]:
    """Return the folders of the host that were created for clusters.

    They are removed with the last cluster.
    """
    try:
        folders: list[str] = json.loads(made_folders_file().read_text())
    except FileNotFoundError:
        return []
    return folders


def remember_made_folders(folders: list[str]) -> None:
    made_folders_file().parent.mkdir(parents=True, exist_ok=True)
    made_folders_file().write_text(json.dumps(sorted({*made_folders(), *folders})))
