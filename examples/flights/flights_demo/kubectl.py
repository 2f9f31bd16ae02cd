"""Caller of kubectl for exactly one cluster."""

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import DemoError

Object = dict[str, Any]
# Variables of the user's shell that could lead to another cluster.
_REMOVED = {"KUBECONFIG", "HTTPS_PROXY", "https_proxy"}


def kubeconfig_of(cluster: str) -> Path:
    """Return the kubeconfig of a cluster that ``perennial_cluster`` created."""
    command = [sys.executable, "-m", "perennial_cluster", "kubeconfig", "--name", cluster]
    return Path(_output_of(command).strip())


@dataclass(frozen=True)
class Kubectl:
    """kubectl with its kubeconfig."""

    kubeconfig: Path

    def command(self, *words: str) -> list[str]:
        return ["kubectl", f"--kubeconfig={self.kubeconfig}", *words]

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        return _output_of(self.command(*words), stdin)

    def get(self, *words: str) -> Object:
        """Return an object, or a list of objects under ``items``."""
        found: Object = json.loads(self("get", *words, "-o", "json"))
        return found

    def secret(self, namespace: str, name: str) -> dict[str, str]:
        """Return the decoded entries of a Secret."""
        data = self.get("secret", name, "-n", namespace).get("data") or {}
        return {key: base64.b64decode(text).decode() for key, text in data.items()}

    def apply(self, *objects: Object) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self("apply", "-f", "-", stdin=json.dumps(listed))

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start kubectl in the background, with its output as a pipe."""
        return subprocess.Popen(
            self.command(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env=_environment(),
        )


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in _REMOVED}


def _output_of(command: list[str], stdin: str | None = None) -> str:
    environment = _environment()
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, env=environment
        )
    except FileNotFoundError:
        raise DemoError(f"the program {command[0]} is not installed") from None
    if done.returncode:
        words = " ".join(command[:1] + [w for w in command[1:] if not w.startswith("--kubeconfig")])
        raise DemoError(f"`{words}` failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout
