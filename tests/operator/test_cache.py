from typing import Any

from perennial_operator.cache import ObjectCache
from perennial_operator.names import MODEL_LABEL, OWNER_ANNOTATION, RUN_ANNOTATION
from perennial_operator.objects import (
    DEPLOYMENT,
    MODEL_DEPLOYMENT,
    POD,
    RETRAIN_JOB,
    Key,
    Object,
)


def obj(version: int, uid: str = "u1", kind: str = "Deployment", **metadata: Any) -> Object:
    return {
        "kind": kind,
        "metadata": {
            "name": "delays",
            "namespace": "default",
            "uid": uid,
            "resourceVersion": str(version),
            "labels": {MODEL_LABEL: "delays"},
            "managedFields": [{"manager": "somebody"}],
            **metadata,
        },
        "spec": {"version": version},
    }


def held(cache: ObjectCache) -> Any:
    found = cache.get(DEPLOYMENT, "default", "delays")
    return found and found["spec"]["version"]


def test_the_newer_version_is_kept_in_any_order_of_arrival() -> None:
    cache = ObjectCache()
    cache.put(DEPLOYMENT, obj(5))
    cache.put(DEPLOYMENT, obj(4))
    assert held(cache) == 5
    cache.put(DEPLOYMENT, obj(6))
    assert held(cache) == 6


def test_a_late_event_does_not_restore_a_deleted_object() -> None:
    cache = ObjectCache()
    cache.put(DEPLOYMENT, obj(5))
    cache.drop(DEPLOYMENT, obj(5))
    cache.put(DEPLOYMENT, obj(6))
    assert held(cache) is None
    assert list(cache.about("default", "delays")) == []


def test_the_deletion_of_an_object_keeps_its_successor_of_the_same_name() -> None:
    cache = ObjectCache()
    cache.put(DEPLOYMENT, obj(9, uid="u2"))
    cache.drop(DEPLOYMENT, obj(5, uid="u1"))
    assert held(cache) == 9


def test_fields_that_no_decision_reads_are_not_stored() -> None:
    cache = ObjectCache()
    cache.put(DEPLOYMENT, obj(1))
    found = cache.get(DEPLOYMENT, "default", "delays")
    assert found is not None
    assert "managedFields" not in found["metadata"]


def run(name: str = "delays-1", **more: Any) -> Object:
    return {**obj(1, name=name, labels={}, **more), "spec": {"modelRef": {"name": "delays"}}}


def test_an_object_leads_to_the_resource_that_owns_it() -> None:
    cache = ObjectCache()
    owner = {"kind": "ModelDeployment", "name": "delays", "controller": True, "uid": "x"}
    key = Key("default", "delays")
    assert cache.affected(MODEL_DEPLOYMENT, obj(1)) == [key]
    assert cache.affected(DEPLOYMENT, obj(1, ownerReferences=[owner])) == [key]
    assert cache.affected(POD, obj(1, annotations={OWNER_ANNOTATION: "delays"})) == [key]
    assert cache.affected(DEPLOYMENT, obj(1)) == []
    assert cache.affected(POD, obj(1)) == []


def test_a_run_and_its_model_are_reconciled_for_each_other() -> None:
    cache = ObjectCache()
    model, job = Key("default", "delays"), Key("default", "delays-1", "RetrainJob")
    assert cache.affected(RETRAIN_JOB, run()) == [job, model]
    assert cache.affected(POD, obj(1, annotations={RUN_ANNOTATION: "delays-1"})) == [job]
    cache.put(RETRAIN_JOB, run())
    assert cache.affected(MODEL_DEPLOYMENT, obj(1)) == [model, job]
    assert [kind for kind, _ in cache.about("default", "delays")] == ["RetrainJob"]
    cache.drop(RETRAIN_JOB, run())
    assert cache.affected(MODEL_DEPLOYMENT, obj(1)) == [model]
