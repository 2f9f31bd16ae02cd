"""The ModelDeployment ``delays``: apply, remove, and wait until it is served."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .errors import DemoError
from .kubectl import Kubectl, Object
from .store import REGION

NAMESPACE = "flights"
NAME = "delays"
MANIFEST = Path(__file__).parents[1] / "model.yaml"
FIRST_URI = "s3://models/flights/1/"
"""URI in the manifest."""

POLL_SECONDS = 0.5
PATIENCE_SECONDS = 20.0
"""Seconds that a failure may last. Some are temporary, such as a store that starts."""
LIMIT_SECONDS = 300.0


@dataclass(frozen=True)
class View:
    """State of the ModelDeployment in the cluster."""

    conditions: dict[str, Object]
    """Conditions by type; only those for the current generation."""
    revision: str
    """Name of the stable revision, or ``""``."""
    uri: str
    digest: str
    """Digest of that revision's model."""
    other_pods: int
    """Number of pods of other revisions."""

    def is_serving(self, uri: str, digest: str) -> bool:
        """Return whether only this model is served, and all replicas are ready."""
        return (
            self._state("Ready") == ("True", "Serving")
            and self._state("Progressing") == ("False", "Complete")
            and (self.uri, self.digest) == (uri, digest)
            and self.other_pods == 0
        )

    @property
    def failure(self) -> str:
        """Reason and message if the rollout is stuck, else ``""``."""
        status, reason = self._state("Progressing")
        if status == "False" and reason != "Complete":
            return f"{reason}: {self.conditions['Progressing']['message']}"
        return ""

    @property
    def line(self) -> str:
        """Conditions in one line."""
        ready = self._state("Ready")[0]
        progress = self.conditions.get("Progressing")
        text = f"{progress['reason']}: {progress['message']}" if progress else "no condition yet"
        if progress and progress["reason"] == "Complete" and self.other_pods:
            text = "Complete: the last pods of the previous revision are ending."
        return f"Ready {ready} | {text}"

    def _state(self, type_: str) -> tuple[str, str]:
        condition = self.conditions.get(type_)
        return (condition["status"], condition["reason"]) if condition else ("Unknown", "")


def prepare(kubectl: Kubectl, keys: dict[str, str]) -> None:
    """Create the namespace, and the Secret for the store."""
    secret = {
        "AWS_ACCESS_KEY_ID": keys["AWS_ACCESS_KEY_ID"],
        "AWS_SECRET_ACCESS_KEY": keys["AWS_SECRET_ACCESS_KEY"],
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": "http://store.store.svc",
    }
    kubectl.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "models-s3", "namespace": NAMESPACE},
            "stringData": secret,
        },
    )


def apply(kubectl: Kubectl, uri: str) -> None:
    """Apply ``model.yaml`` with the URI of the model."""
    kubectl("apply", "-f", "-", stdin=MANIFEST.read_text().replace(FIRST_URI, uri))


def remove(kubectl: Kubectl) -> None:
    """Remove the resources of an earlier demo."""
    kubectl("delete", "mdep,rjob", "--all", "-n", NAMESPACE, "--ignore-not-found", "--wait=true")


def look(kubectl: Kubectl) -> View:
    """Read the current state."""
    resource = kubectl.get("mdep", NAME, "-n", NAMESPACE)
    status = resource.get("status", {})
    generation = resource["metadata"]["generation"]
    stable = status.get("stable") or {}
    revision = stable.get("name", "")
    selector = f"perennial.dev/model={NAME},perennial.dev/revision,perennial.dev/revision!="
    pods = kubectl.get("pods", "-n", NAMESPACE, "-l", selector + revision)["items"]
    return View(
        conditions={
            condition["type"]: condition
            for condition in status.get("conditions", [])
            if condition["observedGeneration"] == generation
        },
        revision=revision,
        uri=stable.get("uri", ""),
        digest=stable.get("digest", ""),
        other_pods=len(pods),
    )


def wait_until_served(
    kubectl: Kubectl, uri: str, digest: str, show: Callable[[str], None] = lambda line: None
) -> View:
    """Wait until only this model is served.

    Args:
        kubectl: the cluster.
        uri: URI of the model.
        digest: digest of the model.
        show: called with the state in one line, repeatedly.

    Raises:
        DemoError: a failure lasts; with the message of the condition.
    """
    begun = time.monotonic()
    failing_since: float | None = None
    while True:
        view = look(kubectl)
        show(view.line)
        if view.is_serving(uri, digest):
            return view
        now = time.monotonic()
        failing_since = (failing_since or now) if view.failure else None
        if failing_since and now - failing_since > PATIENCE_SECONDS:
            raise DemoError(f"{NAME} is not served.\n{view.failure}")
        if now - begun > LIMIT_SECONDS:
            raise DemoError(f"{NAME} is not served after {LIMIT_SECONDS:.0f} s. {view.line}")
        time.sleep(POLL_SECONDS)
