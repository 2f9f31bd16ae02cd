"""The objects that the operator makes of a ModelDeployment, whole."""

import hashlib
import json
from datetime import timedelta
from typing import Any

from golden.cases import LONG, SPECS, TRAINERS, spec
from golden.record import check
from support import loops, worlds
from support.worlds import DIGEST, NOW, OTHER_DIGEST

from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.api.retraining import RETRAIN_ANNOTATION
from perennial_operator.modeldeployment.plan import decide
from perennial_operator.objects import Object
from perennial_operator.world import World


def children(around: World) -> list[Object]:
    found = decide(around, worlds.images(TRAINERS), NOW).children
    return [shortened(each) for each in found]


def shortened(child: Object) -> Object:
    """Return a child without repeated texts and texts for people.

    A Deployment gets a digest of its template's text, which it has a second time. The trigger of a
    RetrainJob loses its message.
    """
    if child["kind"] == "RetrainJob":
        trigger = {k: v for k, v in child["spec"]["trigger"].items() if k != "message"}
        return {**child, "spec": {**child["spec"], "trigger": trigger}}
    annotations = child["metadata"].get("annotations", {})
    text = annotations.get("perennial.dev/pod-template")
    if text is None:
        return child
    assert json.loads(text) == child["spec"]["template"]
    digest = hashlib.sha256(text.encode()).hexdigest()
    marked = {**annotations, "perennial.dev/pod-template": f"sha256:{digest}"}
    return {**child, "metadata": {**child["metadata"], "annotations": marked}}


def test_the_children_of_a_new_model_are_those_that_were_recorded() -> None:
    check("children", {name: children(worlds.world(spec(name))) for name in SPECS})


def test_the_children_of_a_model_with_a_long_name_are_those_that_were_recorded() -> None:
    names = ("unpinned", "capture-claim", "raw")
    check("children_long", {name: children(worlds.world(spec(name), name=LONG)) for name in names})


def test_the_children_of_a_model_in_a_rollout_are_those_that_were_recorded() -> None:
    old, new = worlds.spec(), worlds.spec(serving={"batching": {"maxSize": 4}}, replicas=2)
    stable = worlds.revision(old)
    previous = worlds.revision(old, digest=OTHER_DIGEST, since=NOW - timedelta(days=1))
    status = ModelDeploymentStatus(stable=stable, previous=[previous])
    live = [
        worlds.live_deployment(worlds.world(old), stable, 2, 2),
        worlds.live_deployment(worlds.world(old), previous, 0, 0),
    ]
    candidate = worlds.revision(new)
    starting = worlds.world(new, status, live)
    ready = worlds.live_deployment(worlds.world(new), candidate, 2, 2)
    known = status.model_copy(update={"candidate": candidate})
    found = {
        "begins": children(starting),
        "promotes": children(worlds.world(new, known, [*live, ready])),
    }
    check("children_rollout", found)


def test_a_retrain_job_is_the_one_that_was_recorded() -> None:
    policy: dict[str, Any] = {"template": {**loops.TEMPLATE, "queueName": "team-a"}}
    by_hand = loops.world(annotations={RETRAIN_ANNOTATION: "please"})
    dropped = loops.world(
        loops.spec(**policy),
        observed=loops.observation(right=700, wrong=300),
    )
    found = {"by hand": children(by_hand), "quality": children(dropped)}
    assert [each["kind"] for each in found["quality"]][-1] == "RetrainJob"
    check("children_retrain", found)


def test_a_promoted_model_is_served_as_was_recorded() -> None:
    around = loops.world(runs=(loops.accepted(champion=DIGEST),))
    check("children_promoted", children(around))
