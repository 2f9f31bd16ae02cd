"""A cluster that the person runs: used as it is, never made, changed in kind or removed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from perennial_build.errors import ReportedError
from perennial_build.progress import say
from perennial_cluster.backend import Summary
from perennial_cluster.kubectl import Kubectl, show_nodes

_SOURCE = "PERENNIAL_KUBECONFIG"


@dataclass(frozen=True)
class ExistingCluster:
    """The cluster that PERENNIAL_KUBECONFIG names."""

    path: Path

    def up(self, name: str, nodes: int | None) -> None:
        if not self.path.is_file():
            raise ReportedError(f"{_SOURCE} names {self.path}, which is no file")
        if not Kubectl(self.path).ready():
            raise ReportedError(
                f"the cluster of {self.path} does not answer /readyz: try"
                f" `kubectl --kubeconfig {self.path} get nodes`"
            )
        say(f"using the existing cluster of {self.path}")

    def down(self, name: str) -> None:
        raise ReportedError(
            f"{_SOURCE} names a cluster that was not made here ({self.path}): it is left alone."
            f" Unset {_SOURCE} to remove one that was"
        )

    def load(self, name: str, archive: Path) -> None:
        raise ReportedError(
            f"images cannot be loaded into an existing cluster ({self.path}): push them to a"
            " registry that it can pull from, and name them with PERENNIAL_RUNTIME_IMAGE,"
            " PERENNIAL_OPERATOR_IMAGE and PERENNIAL_STORE_IMAGE"
        )

    def node(self, name: str, action: str, number: int) -> None:
        raise ReportedError(f"nodes of an existing cluster ({self.path}) are left alone")

    def kubeconfig(self, name: str) -> Path:
        return self.path

    def names(self) -> list[str]:
        return [self.path.stem]

    def summary(self, name: str) -> Summary:
        kubectl = Kubectl(self.path)
        return Summary(
            name=self.path.stem,
            backend="existing",
            nodes=show_nodes(kubectl.node_readiness()),
            api=kubectl(
                "config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"
            ),
            kubeconfig=self.path,
            state="-",
            remove="(not made here)",
        )
