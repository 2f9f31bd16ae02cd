"""Return to a former model when the annotation perennial.dev/rollback changes."""

from dataclasses import dataclass

from perennial_contracts.api.modeldeployment import ROLLBACK_ANNOTATION
from perennial_contracts.api.modeldeployment_status import Promotion

from ..conditions import Event
from ..revision import promotion_source
from ..world import World

LIMIT = 253
"""Length to which the value of the annotation is cut."""


@dataclass(frozen=True)
class Rollback:
    """The effect of the annotation."""

    request: str | None
    """The latest value that was acted on."""
    promotion: Promotion | None = None
    """The former model, which replaces the current one with this decision."""
    events: tuple[Event, ...] = ()


def decide(world: World) -> Rollback:
    """Return the rollback for a new value of the annotation; each value counts once.

    The value names a revision in ``status.previous``; any other value selects the latest of them. A
    rollout in progress is aborted.
    """
    request = world.annotations.get(ROLLBACK_ANNOTATION, "")[:LIMIT]
    done = world.status.rollbackRequest
    if not request or request == done:
        return Rollback(done)
    stable, candidate = world.status.stable, world.status.candidate
    # During a rollout, the stable revision is the former one: to return to it aborts the rollout.
    choices = [
        revision
        for revision in (stable if candidate else None, *world.status.previous)
        if revision and (candidate or not stable or revision.digest != stable.digest)
    ]
    if not choices:
        message = (
            "Cannot roll back: status.previous has no revision with another model. To serve "
            "another model, change spec.model."
        )
        return Rollback(request, None, (Event("NothingToRollBackTo", message, warning=True),))
    target = next((revision for revision in choices if revision.name == request), choices[0])
    return Rollback(
        request,
        Promotion(
            uri=target.uri,
            digest=target.digest,
            reason="RolledBack",
            source=promotion_source(world.spec.model),
            lineage=target.lineage,
        ),
        (
            Event(
                "RolledBack",
                f"Rolling back to the model of revision {target.name}, {target.digest}.",
            ),
        ),
    )
