"""What is remembered about local clusters between two calls: their index and their nodes."""

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
    """The folder of all local clusters' state, which the environment may move."""
    return Path(os.environ.get("PERENNIAL_STATE") or "/var/lib/perennial")


def clusters_root() -> Path:
    return state_root() / "clusters"


def lock_file() -> Path:
    """Held while clusters change: two calls of `up` must not take the same index.

    In the cache, which stays: a lock that is removed with the last cluster protects nobody
    who already waits for it.
    """
    return cache_root() / "clusters.lock"


@dataclass
class Record:
    """One cluster, as remembered."""

    index: int
    nodes: list[int] = field(default_factory=lambda: [0])
    stopped: list[int] = field(default_factory=list)
    """Nodes that a person or a test stopped on purpose."""


def state_folder(name: str) -> Path:
    return clusters_root() / check_name(name)


def names() -> list[str]:
    return sorted(path.parent.name for path in clusters_root().glob(f"*/{RECORD}"))


def read(name: str) -> Record | None:
    """The record of a cluster, if there is such a cluster."""
    path = state_folder(name) / RECORD
    try:
        return Record(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise ReportedError(
            f"{path} is damaged ({error}): expected an object such as"
            f" {json.dumps(asdict(Record(0)))}; correct it, or remove the cluster by hand"
        ) from None


def write(name: str, record: Record) -> None:
    """Remember a cluster; the rename keeps a killed call from leaving half a record."""
    path = state_folder(name) / RECORD
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(record)))
    draft.rename(path)


def allocate(name: str) -> Record:
    """Give a new cluster the lowest index that is free on this machine."""
    others = [record for other in names() if (record := read(other))]
    taken = {record.index for record in others}
    # Another state folder's cluster shows by its bridge.
    taken |= {index for index in INDICES if network.link_exists(Cluster("any", index).bridge)}
    record = Record(lowest_free_index(taken, network.host_networks()))
    write(name, record)
    return record


def made_folders_file() -> Path:
    return state_root() / "made-folders.json"


def made_folders() -> list[str]:
    """Folders of the host that were made for local clusters and go with the last one."""
    try:
        folders: list[str] = json.loads(made_folders_file().read_text())
    except FileNotFoundError:
        return []
    return folders


def remember_made_folders(folders: list[str]) -> None:
    made_folders_file().parent.mkdir(parents=True, exist_ok=True)
    made_folders_file().write_text(json.dumps(sorted({*made_folders(), *folders})))
