"""What every kind of cluster can do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

DEFAULT_NAME = "perennial"


@dataclass(frozen=True)
class Summary:
    """One cluster, as a person wants to see it."""

    name: str
    backend: str
    nodes: str
    api: str
    kubeconfig: Path
    state: str
    remove: str


class Backend(Protocol):
    """A kind of cluster."""

    def up(self, name: str, nodes: int | None) -> None:
        """Make the cluster, or make sure of it; no number keeps the nodes that it has."""

    def down(self, name: str) -> None:
        """Remove the cluster and all that it left behind."""

    def load(self, name: str, archive: Path) -> None:
        """Put an image onto every node."""

    def node(self, name: str, action: str, number: int) -> None:
        """Stop a node as a power cut would, or start it again."""

    def kubeconfig(self, name: str) -> Path:
        """The file with which clients reach the cluster."""

    def names(self) -> list[str]:
        """The clusters that there are."""

    def summary(self, name: str) -> Summary:
        """One cluster's state."""
