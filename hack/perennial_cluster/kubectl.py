"""Calls of kubectl to one cluster."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perennial_build.errors import ReportedError
from perennial_build.progress import capture

# A proxy of the user's environment does not lead to a cluster on this machine.
_CLEAN = ["env", "-u", "KUBECONFIG", "-u", "HTTPS_PROXY", "-u", "https_proxy"]


@dataclass(frozen=True)
class Kubectl:
    """kubectl with its kubeconfig."""

    kubeconfig: Path

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        target = [f"--kubeconfig={self.kubeconfig}", "--request-timeout=10s"]
        return capture([*_CLEAN, "kubectl", *target, *words], stdin=stdin)

    def ready(self) -> bool:
        """Return whether the API server is ready."""
        try:
            return self("get", "--raw=/readyz").strip() == "ok"
        except ReportedError:
            return False

    def apply(self, documents: list[dict[str, Any]]) -> None:
        bundle = {"apiVersion": "v1", "kind": "List", "items": documents}
        self("apply", "-f", "-", stdin=json.dumps(bundle))

    def node_readiness(self) -> dict[str, bool]:
        """Return the nodes by name, and whether each is ready."""
        try:
            nodes = json.loads(self("get", "nodes", "-o", "json"))["items"]
        except ReportedError:
            return {}
        return {
            node["metadata"]["name"]: any(
                condition["type"] == "Ready" and condition["status"] == "True"
                for condition in node["status"].get("conditions", [])
            )
            for node in nodes
        }


def show_nodes(readiness: dict[str, bool]) -> str:
    """Return the nodes in one line."""
    if not readiness:
        return "no response"
    return ", ".join(
        f"{name} {'Ready' if ready else 'NotReady'}" for name, ready in sorted(readiness.items())
    )
