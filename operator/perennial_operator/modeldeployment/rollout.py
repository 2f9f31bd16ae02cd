"""Which revision serves, which one is to follow, and how many pods each has.

A new revision starts beside the stable one and takes over when all its replicas are ready. Until
then, and if it never is, the stable one answers as before.
"""

from dataclasses import dataclass
from datetime import datetime

from perennial_contracts.api.modeldeployment_status import Revision

from ..clock import seconds_since, to_text
from ..objects import Object
from ..revision import wanted_revision
from ..world import World
from .artifact.result import Packaging

RETIRE_SECONDS = 5.0
"""How long the old pods stay whole after the Service has turned away from them: until every
node's proxy has heard of it."""
HISTORY = 2
"""Stable revisions of before whose Deployments are kept at zero, to return to without delay."""


@dataclass(frozen=True)
class Rollout:
    """Who serves, and with how many pods."""

    stable: Revision | None
    candidate: Revision | None
    previous: tuple[Revision, ...]
    replicas: dict[str, int]
    """Wanted pods by name of revision. A Deployment of any other revision goes."""
    promoted: bool = False
    """Whether the candidate takes over with this decision."""
    look_again: float | None = None

    @property
    def serving(self) -> Revision | None:
        """The revision that the Service selects: the first one even before it is ready."""
        return self.stable or self.candidate


def decide(world: World, model: Packaging, default_image: str, now: datetime) -> Rollout:
    """The next step of the rollout. Without a digest only the stable revision is kept."""
    status = world.status
    stable, previous = status.stable, tuple(status.previous)
    candidate: Revision | None = None
    if model.digest:
        known = (stable, status.candidate, *previous)
        spec = world.spec.model_copy(update={"model": model.model(world.spec.model)})
        lineage = model.promoted.lineage if model.promoted else None
        wanted = wanted_revision(spec, model.digest, known, default_image, to_text(now), lineage)
        if not stable or wanted.name != stable.name:
            candidate = _as_candidate(wanted, status.candidate, now)

    promoted = False
    if candidate and _is_ready(world.deployment_of(candidate.name), world.spec.replicas):
        promoted = True
        older = [stable, *previous] if stable else list(previous)
        previous = tuple(old for old in older if old and old.name != candidate.name)[:HISTORY]
        stable = candidate.model_copy(update={"since": to_text(now)})
        candidate = None

    replicas = {revision.name: world.spec.replicas for revision in (stable, candidate) if revision}
    wait = _drain_left(stable, now)
    for old in previous:
        if old.name not in replicas:
            replicas[old.name] = _live_replicas(world, old) if wait else 0
    return Rollout(
        stable=stable,
        candidate=candidate,
        previous=previous,
        replicas=replicas,
        promoted=promoted,
        look_again=wait if previous and any(replicas[old.name] for old in previous) else None,
    )


def _as_candidate(wanted: Revision, current: Revision | None, now: datetime) -> Revision:
    if current and current.name == wanted.name:
        return current
    return wanted.model_copy(update={"since": to_text(now)})


def _is_ready(deployment: Object | None, wanted: int) -> bool:
    """Whether the Deployment, as its controller last saw it, has every wanted pod ready."""
    if not deployment:
        return False
    status = deployment.get("status", {})
    return bool(
        deployment["spec"].get("replicas") == wanted
        and status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
        and status.get("updatedReplicas", 0) >= wanted
        and status.get("availableReplicas", 0) >= wanted
    )


def _drain_left(stable: Revision | None, now: datetime) -> float | None:
    """Seconds for which the pods of the revision before are still to be left alone."""
    left = RETIRE_SECONDS - seconds_since(stable.since, now) if stable else 0.0
    return left if left > 0 else None


def _live_replicas(world: World, revision: Revision) -> int:
    deployment = world.deployment_of(revision.name)
    return int(deployment["spec"].get("replicas", 0)) if deployment else 0
