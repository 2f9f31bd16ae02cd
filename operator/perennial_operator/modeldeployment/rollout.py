"""Decide which revision serves, which one replaces it, and how many pods each has.

A new revision starts as the candidate beside the stable one and is promoted when all its replicas
are ready. Until then, and if they never are, the stable revision keeps serving.
"""

from dataclasses import dataclass
from datetime import datetime

from perennial_contracts.api.modeldeployment_status import Revision

from ..clock import seconds_since, to_text
from ..images import Images
from ..objects import Object
from ..revision import wanted_revision
from ..world import World
from .artifact.result import ArtifactResult

RETIRE_SECONDS = 5.0
"""Seconds for which the old pods stay after the Service has switched to the new ones, until the
proxies of all nodes have learned of it."""
HISTORY = 2
"""Former stable revisions whose Deployments are kept at zero replicas, for a quick rollback."""


@dataclass(frozen=True)
class Rollout:
    """The next step of a rollout."""

    stable: Revision | None
    candidate: Revision | None
    previous: tuple[Revision, ...]
    replicas: dict[str, int]
    """Wanted replicas by name of revision. Deployments of other revisions are deleted."""
    look_again: float | None = None
    """Seconds until the next reconciliation, if no event will start one."""

    @property
    def serving(self) -> Revision | None:
        """The revision that the Service selects: the first one even before it is ready."""
        return self.stable or self.candidate


def decide(world: World, artifact: ArtifactResult, images: Images, now: datetime) -> Rollout:
    """Return the next step. Without a digest, only the stable revision stays."""
    status = world.status
    stable, previous = status.stable, tuple(status.previous)
    candidate: Revision | None = None
    if artifact.digest:
        known = (stable, status.candidate, *previous)
        spec = world.spec.model_copy(update={"model": artifact.source(world.spec.model)})
        lineage = artifact.promoted.lineage if artifact.promoted else None
        wanted = wanted_revision(
            spec, artifact.digest, known, images.runtime, to_text(now), lineage
        )
        if not stable or wanted.name != stable.name:
            candidate = _as_candidate(wanted, status.candidate, now)

    if candidate and _is_ready(world.deployment_of(candidate.name), world.spec.replicas):
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
        look_again=wait if previous and any(replicas[old.name] for old in previous) else None,
    )


def _as_candidate(wanted: Revision, current: Revision | None, now: datetime) -> Revision:
    if current and current.name == wanted.name:
        return current
    return wanted.model_copy(update={"since": to_text(now)})


def _is_ready(deployment: Object | None, wanted: int) -> bool:
    """Return whether the controller of a Deployment reports every wanted pod as ready."""
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
    """Return the seconds for which pods of the former revision must stay, if any."""
    left = RETIRE_SECONDS - seconds_since(stable.since, now) if stable else 0.0
    return left if left > 0 else None


def _live_replicas(world: World, revision: Revision) -> int:
    deployment = world.deployment_of(revision.name)
    return int(deployment["spec"].get("replicas", 0)) if deployment else 0
