"""Back to a model of before, when an annotation asks for it."""

from dataclasses import dataclass

from perennial_contracts.api.modeldeployment import ROLLBACK_ANNOTATION
from perennial_contracts.api.modeldeployment_status import Promotion

from ..conditions import Event
from ..revision import promotion_source
from ..world import World

LIMIT = 253
"""Characters of the annotation's value that count."""


@dataclass(frozen=True)
class Rollback:
    """What the annotation leads to."""

    request: str | None
    """The value that has been acted on, now or before."""
    promotion: Promotion | None = None
    """The model of before, which takes the present one's place with this decision."""
    events: tuple[Event, ...] = ()


def decide(world: World) -> Rollback:
    """Each new value of the annotation is acted on once.

    It names a revision of ``status.previous``, or anything else for the last one. A rollout on its
    way is broken off by it.
    """
    request = world.annotations.get(ROLLBACK_ANNOTATION, "")[:LIMIT]
    done = world.status.rollbackRequest
    if not request or request == done:
        return Rollback(done)
    stable, candidate = world.status.stable, world.status.candidate
    # While another model is still on its way, to go back is to stay with the present one.
    choices = [
        revision
        for revision in (stable if candidate else None, *world.status.previous)
        if revision and (candidate or not stable or revision.digest != stable.digest)
    ]
    if not choices:
        message = "There is no model of before to go back to."
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
        (Event("RolledBack", f"Back to the model of revision {target.name}, {target.digest}."),),
    )
