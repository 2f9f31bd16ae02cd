"""The interface of the three kinds of clusters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

DEFAULT_NAME = "perennial"


@dataclass(frozen=True)
class Summary:
    """A cluster's entry in the output of ``status``."""

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
        """Start the cluster if it does not run. Without a number, keep its nodes."""

    def down(self, name: str) -> None:
        """Remove the cluster and everything that it left on the machine."""

    def load(self, name: str, archive: Path) -> None:
        """Put an image onto every node."""

    def node(self, name: str, action: str, number: int) -> None:
        """Stop a node as a power cut would, or start it again."""

    def kubeconfig(self, name: str) -> Path:
        """Return the path of the cluster's kubeconfig."""

    def names(self) -> list[str]:
        """Return the names of the existing clusters."""

    def summary(self, name: str) -> Summary:
        """Return the state of a cluster."""
