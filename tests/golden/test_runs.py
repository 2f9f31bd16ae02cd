"""The objects that the operator makes of a RetrainJob, whole."""

from dataclasses import replace

from golden.cases import LONG, RUNS, run
from golden.record import check
from support.worlds import DIGEST, IMAGES, NOW

from perennial_contracts.api.retrainjob_status import ModelReference
from perennial_operator.clock import to_text
from perennial_operator.objects import Object
from perennial_operator.retrainjob.plan import decide
from perennial_operator.world import RunWorld

ON_CLAIM = ModelReference(uri="pvc://models/delays/", digest=DIGEST)
IN_IMAGE = ModelReference(uri="oci://ghcr.io/org/delays:1/m/", digest=DIGEST)


def complete(job: Object) -> Object:
    when = to_text(NOW)
    condition = {"type": "Complete", "status": "True", "reason": "", "lastTransitionTime": when}
    metadata = {**job["metadata"], "uid": f"uid-{job['kind']}"}
    return {**job, "metadata": metadata, "status": {"conditions": [condition]}}


def stages(around: RunWorld) -> list[Object]:
    """Return the children of a run in order, all of which succeed."""
    live: list[Object] = []
    for _ in range(4):
        known = {(each["kind"], each["metadata"]["name"]): complete(each) for each in live}
        plan = decide(replace(around, children=known), IMAGES, NOW)
        names = set(known)
        new = [c for c in plan.children if (c["kind"], c["metadata"]["name"]) not in names]
        if not new:
            break
        live += new
    return live


def test_the_children_of_each_run_are_those_that_were_recorded() -> None:
    found = {name: stages(run(**fields)) for name, fields in RUNS.items()}
    kinds = [each["kind"] for each in found["staged"]]
    assert kinds == ["PersistentVolumeClaim", "Job", "TrainJob", "Job"]
    check("runs", found)


def test_the_children_of_a_run_with_long_names_are_those_that_were_recorded() -> None:
    found = {name: stages(run(f"{LONG}-9f", LONG, **RUNS[name])) for name in ("plain", "staged")}
    check("runs_long", found)


def test_a_run_mounts_claims_and_images_as_was_recorded() -> None:
    found = {
        "claim": stages(run(champion=ON_CLAIM, capture="pvc://captured/delays")),
        "image": stages(run(champion=IN_IMAGE)),
        "staged": stages(run(champion=ON_CLAIM, capture="pvc://captured/delays", **RUNS["staged"])),
    }
    check("runs_mounts", found)
