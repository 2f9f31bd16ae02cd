"""A cluster of the user, which is never started, changed or removed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from perennial_build.errors import ReportedError
from perennial_build.progress import report
from perennial_cluster.backend import Summary
from perennial_cluster.kubectl import Kubectl, show_nodes

_SOURCE = "PERENNIAL_KUBECONFIG"


@dataclass(frozen=True)
class ExistingCluster:
    """The cluster of PERENNIAL_KUBECONFIG."""

    path: Path

    def up(self, name: str, nodes: int | None) -> None:
        if not self.path.is_file():
            raise ReportedError(f"{_SOURCE}: {self.path} is not a file")
        if not Kubectl(self.path).ready():
            raise ReportedError(
                f"The cluster of {self.path} does not respond to /readyz. Fix: try"
                f" `kubectl --kubeconfig {self.path} get nodes`"
            )
        report(f"using the existing cluster of {self.path}")

    def down(self, name: str) -> None:
        raise ReportedError(
            f"The cluster of {self.path} was not started by this command and is not removed."
            f" To remove one that was, unset {_SOURCE}"
        )

    def load(self, name: str, archive: Path) -> None:
        raise ReportedError(
            f"Images cannot be copied to the existing cluster of {self.path}. Fix: push them to a"
            " registry that it can pull from, and set PERENNIAL_RUNTIME_IMAGE,"
            " PERENNIAL_OPERATOR_IMAGE, PERENNIAL_TRAINER_IMAGE and PERENNIAL_STORE_IMAGE"
        )

    def node(self, name: str, action: str, number: int) -> None:
        raise ReportedError(f"Nodes of the existing cluster of {self.path} cannot be stopped")

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
            remove="-",
        )
