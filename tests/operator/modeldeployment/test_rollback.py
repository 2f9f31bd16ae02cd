from typing import Any

from support import loops, worlds
from support.loops import accepted, spec, world
from support.worlds import DIGEST, OTHER_DIGEST, planned

from perennial_contracts.api.modeldeployment import ROLLBACK_ANNOTATION
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus


def served(digest: str, previous: str) -> dict[str, Any]:
    """Return the status after one model has replaced another."""
    of = spec()
    return {
        "stable": worlds.revision(of, digest).model_dump(exclude_none=True),
        "previous": [worlds.revision(of, previous).model_dump(exclude_none=True)],
    }


def test_a_new_value_of_the_annotation_returns_to_the_former_model_once() -> None:
    before = served(OTHER_DIGEST, DIGEST)
    plan = planned(world(status=before, annotations={ROLLBACK_ANNOTATION: "1"}))
    assert plan.status.promoted is not None
    assert (plan.status.promoted.digest, plan.status.promoted.reason) == (DIGEST, "RolledBack")
    assert plan.status.rollbackRequest == "1"
    assert plan.status.candidate is not None
    assert plan.status.candidate.name == before["previous"][0]["name"]
    assert "RolledBack" in [event.reason for event in plan.events]
    # The former model is the last one now; the same value does not go back to it.
    after = {**plan.status.model_dump(exclude_none=True), **served(DIGEST, OTHER_DIGEST)}
    after.pop("candidate")
    again = planned(world(status=after, annotations={ROLLBACK_ANNOTATION: "1"}))
    assert again.status.candidate is None
    assert again.status.stable is not None
    assert again.status.stable.digest == DIGEST


def test_a_rollback_aborts_a_promotion_in_progress() -> None:
    first = planned(world(runs=(accepted(),))).status
    assert first.candidate is not None
    back = planned(
        world(
            status=first.model_dump(exclude_none=True),
            runs=(accepted(),),
            annotations={ROLLBACK_ANNOTATION: "stop"},
        )
    )
    assert back.status.candidate is None
    assert back.status.promoted is not None
    assert back.status.promoted.digest == loops.DIGEST


def test_a_rollback_without_a_former_model_is_reported_and_changes_nothing() -> None:
    plan = planned(world(annotations={ROLLBACK_ANNOTATION: "1"}))
    assert plan.status.promoted is None
    assert plan.status.rollbackRequest == "1"
    assert "NothingToRollBackTo" in [event.reason for event in plan.events]


def test_the_name_of_a_revision_selects_it() -> None:
    of = spec()
    third = "sha256:" + "c" * 64
    older = worlds.revision(of, third)
    status = ModelDeploymentStatus(
        **{
            **served(OTHER_DIGEST, DIGEST),
            "previous": [worlds.revision(of, DIGEST), older],
        }
    ).model_dump(exclude_none=True)
    plan = planned(world(status=status, annotations={ROLLBACK_ANNOTATION: older.name}))
    assert plan.status.promoted is not None
    assert plan.status.promoted.digest == third
