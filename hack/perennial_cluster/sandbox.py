"""Folders with fixed paths, which are replaced by a node's own inside the node."""

from __future__ import annotations

from pathlib import Path

ADDRESSES = "cni"

_FIXED = {
    Path("/var/lib/cni"): ADDRESSES,
    Path("/var/lib/kubelet"): "kubelet-sockets",
    Path("/var/log/containers"): "container-logs",
    Path("/run/containerd"): "containerd-sockets",
}


def binds(folder: Path) -> list[tuple[Path, Path]]:
    """Return pairs of a node's own folder and the fixed path that it replaces."""
    pairs = []
    for fixed, name in _FIXED.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        fixed.mkdir(parents=True, exist_ok=True)
        pairs.append((folder / name, fixed))
    return pairs


def missing_mount_points() -> list[str]:
    """Return the fixed paths that the host does not have."""
    return [str(path) for path in _FIXED if not path.exists()]


def remove_mount_points(made: list[str]) -> None:
    """Remove folders that were created for nodes, if they are empty.

    For use when no node is left: removing a folder ends the mounts on it in all namespaces.
    """
    for path in map(Path, made):
        if path in _FIXED and path.is_dir() and not any(path.iterdir()):
            path.rmdir()
