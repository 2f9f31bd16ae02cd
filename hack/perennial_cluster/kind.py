"""A kind cluster, for machines with Docker and `kind`."""

from __future__ import annotations

import os
from pathlib import Path

from perennial_build.cache import TREE, cache_root, locked
from perennial_build.errors import ReportedError
from perennial_build.progress import capture, report, run_step
from perennial_cluster import records
from perennial_cluster.backend import Summary
from perennial_cluster.kubectl import Kubectl, show_nodes

CONFIG = TREE / "kind-config.yaml"


def create_command(name: str, config: Path, kubeconfig: Path) -> list[str]:
    return [
        *("kind", "create", "cluster", "--name", name, "--config", str(config)),
        *("--kubeconfig", str(kubeconfig), "--wait", "120s"),
    ]


def delete_command(name: str, kubeconfig: Path) -> list[str]:
    return ["kind", "delete", "cluster", "--name", name, "--kubeconfig", str(kubeconfig)]


def export_command(name: str, kubeconfig: Path) -> list[str]:
    return ["kind", "export", "kubeconfig", "--name", name, "--kubeconfig", str(kubeconfig)]


def load_command(name: str, archive: Path) -> list[str]:
    return ["kind", "load", "image-archive", str(archive), "--name", name]


def node_container(name: str, number: int) -> str:
    """Return kind's name for a node: workers are worker, worker2, worker3, ..."""
    if number == 0:
        return f"{name}-control-plane"
    return f"{name}-worker{number if number > 1 else ''}"


def config_for(base: str, nodes: int) -> str:
    """Return the configuration of a cluster with this many nodes."""
    return base + "  - role: worker\n" * (nodes - 1)


class KindCluster:
    """The back-end for machines with Docker."""

    def up(self, name: str, nodes: int | None) -> None:
        kubeconfig = self.kubeconfig(name)
        with locked(records.lock_file()):
            if name in self.names():
                have = len(Kubectl(kubeconfig).node_readiness())
                if nodes not in (None, have):
                    raise ReportedError(
                        f"Cluster {name} has {have} node(s), and kind cannot change that. Fix: run"
                        f" `perennial-cluster down --name {name}`, then `up --nodes {nodes}`"
                    )
                capture(export_command(name, kubeconfig))
                report(f"cluster {name} is up already")
                return
            kubeconfig.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            config = kubeconfig.with_name("kind-config.yaml")
            config.write_text(config_for(CONFIG.read_text(), nodes or 1))
            log = cache_root() / "logs" / "kind.log"
            run_step(
                f"creating the kind cluster {name}", create_command(name, config, kubeconfig), log
            )

    def down(self, name: str) -> None:
        kubeconfig = self.kubeconfig(name)
        log = cache_root() / "logs" / "kind.log"
        with locked(records.lock_file()):
            run_step(f"removing the kind cluster {name}", delete_command(name, kubeconfig), log)
            for path in (kubeconfig, kubeconfig.with_name("kind-config.yaml")):
                path.unlink(missing_ok=True)

    def load(self, name: str, archive: Path) -> None:
        log = cache_root() / "logs" / "kind.log"
        run_step(f"loading {archive.name} into {name}", load_command(name, archive), log)

    def node(self, name: str, action: str, number: int) -> None:
        if number == 0:
            raise ReportedError("Node 0 has the control plane: only other nodes can be stopped")
        capture(["docker", "kill" if action == "stop" else "start", node_container(name, number)])

    def kubeconfig(self, name: str) -> Path:
        # In the cache, because a user without root has no other state folder.
        return cache_root() / "kind" / name / "kubeconfig"

    def names(self) -> list[str]:
        return capture(["kind", "get", "clusters"]).split()

    def summary(self, name: str) -> Summary:
        kubectl = Kubectl(self.kubeconfig(name))
        return Summary(
            name=name,
            backend="kind",
            nodes=show_nodes(kubectl.node_readiness()),
            api=kubectl(
                "config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"
            ),
            kubeconfig=self.kubeconfig(name),
            state=os.fspath(self.kubeconfig(name).parent),
            remove=f"perennial-cluster down --name {name}",
        )
