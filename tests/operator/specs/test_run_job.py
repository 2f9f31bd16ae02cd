from support import loops
from support.runs import CAPTURE, CHAMPION, planned, started, world
from support.worlds import DIGEST, NOW

from perennial_contracts.wire.names import RETRY_EXIT_CODE
from perennial_contracts.wire.run_plan import Model, Plan
from perennial_operator.clock import to_text
from perennial_operator.specs import run_job


def test_the_steps_share_a_plan_and_training_gets_neither_holdout_nor_secret() -> None:
    (job,) = planned(world(started())).children
    spec = job["spec"]["template"]["spec"]
    assemble, train = spec["initContainers"]
    (judge,) = spec["containers"]
    plans = {step["env"][0]["value"] for step in (assemble, train, judge)}
    plan = Plan.model_validate_json(plans.pop())
    assert not plans
    assert plan.champion == Model(uri=CHAMPION.uri, digest=DIGEST)
    assert plan.captured == "s3://models/capture/"
    assert [step["args"] for step in (assemble, train, judge)] == [
        ["assemble"],
        ["train"],
        ["judge"],
    ]
    mounts = {mount["name"] for mount in train["volumeMounts"]}
    assert mounts == {"input", "output", "tmp"}
    assert "envFrom" not in train
    assert assemble["envFrom"] == judge["envFrom"] == [{"secretRef": {"name": "models-s3"}}]
    assert spec["automountServiceAccountToken"] is False
    assert job["spec"]["activeDeadlineSeconds"] == 3600


def test_a_custom_trainer_replaces_only_the_training_step() -> None:
    limits = {"limits": {"nvidia.com/gpu": 1, "memory": "1Gi"}}
    around = world(started(), image="mine:1", resources=limits)
    spec = planned(around).children[0]["spec"]["template"]["spec"]
    assemble, train = spec["initContainers"]
    assert (assemble["image"], train["image"]) == ("trainer:1", "mine:1")
    assert "args" not in train
    assert train["resources"]["limits"] == {"nvidia.com/gpu": 1, "memory": "1Gi"}
    assert assemble["resources"]["limits"] == {"memory": "1Gi"}


def test_captured_files_on_a_claim_are_mounted_for_assembling_and_judging() -> None:
    around = world(started(), capture={"uri": "pvc://disk/capture/"})
    spec = planned(around).children[0]["spec"]["template"]["spec"]
    plan = Plan.model_validate_json(spec["containers"][0]["env"][0]["value"])
    mounted = {mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    assert plan.captured is not None
    assert any(plan.captured.startswith(path) for path in mounted - {"/tmp"})
    assert "capture" not in {each["name"] for each in spec["initContainers"][1]["volumeMounts"]}


def test_the_job_of_a_run_has_its_owner_and_no_queue() -> None:
    of = loops.spec(monitoring={"capture": CAPTURE})
    job = run_job.build(world(), of, CHAMPION, "trainer:1", to_text(NOW))
    assert job["metadata"]["ownerReferences"][0]["kind"] == "RetrainJob"
    assert "suspend" not in job["spec"]
    assert "kueue.x-k8s.io/queue-name" not in job["metadata"]["labels"]


def test_a_queue_starts_the_job_suspended_with_the_label_of_the_queue() -> None:
    (job,) = planned(world(started(), queueName="team-a")).children
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team-a"
    assert job["spec"]["suspend"] is True


def test_only_failures_that_a_retry_may_solve_are_retried() -> None:
    (job,) = planned(world(started())).children
    disruption, failure = job["spec"]["podFailurePolicy"]["rules"]
    # The first rule that matches counts: an evicted pod exits with 137, too.
    assert disruption["action"] == "Ignore"
    assert disruption["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert failure["action"] == "FailJob"
    exits = failure["onExitCodes"]
    assert exits["operator"] == "NotIn"
    assert set(exits["values"]) == {0, RETRY_EXIT_CODE}
    assert job["spec"]["backoffLimit"] > 0
