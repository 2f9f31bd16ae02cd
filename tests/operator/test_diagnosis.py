import pytest
from support.worlds import ended, pod, waiting

from perennial_contracts.wire.outcome import Outcome
from perennial_operator.diagnosis import diagnose
from perennial_operator.objects import Object


def unschedulable(message: str) -> Object:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return pod({}, conditions=[{**condition, "message": message}])


@pytest.mark.parametrize(
    ("sick", "reason", "facts"),
    [
        (
            unschedulable("0/2 nodes are available: 2 Insufficient nvidia.com/gpu."),
            "Unschedulable",
            ["Insufficient nvidia.com/gpu", "Free a GPU"],
        ),
        (
            unschedulable("0/2 nodes are available: 2 Insufficient cpu."),
            "Unschedulable",
            ["Insufficient cpu", "spec.serving.resources"],
        ),
        (
            unschedulable('persistentvolumeclaim "models" not found'),
            "Unschedulable",
            ['"models" not found', "spec.model.uri"],
        ),
        (
            pod({}, containerStatuses=waiting("ImagePullBackOff", "no such image")),
            "ImagePullFailed",
            ["runtime:1", "no such image", "spec.serving.image"],
        ),
        (
            pod(
                {},
                containerStatuses=waiting(
                    "ErrImagePull", 'failed to pull and unpack image "docker.io/library/runtime:1"'
                ),
            ),
            "ImagePullFailed",
            ["pull runtime:1:", "Check spec.serving.image and"],
        ),
        (
            pod(
                {},
                containerStatuses=waiting(
                    "ImagePullBackOff", 'Back-off pulling image "ghcr.io/org/delays:1": not found'
                ),
            ),
            "ImagePullFailed",
            [
                "pull ghcr.io/org/delays:1:",
                "Check spec.model.uri and spec.serving.imagePullSecrets",
            ],
        ),
        (
            pod({}, containerStatuses=waiting("CreateContainerConfigError", 'secret "x" missing')),
            "ContainerConfigError",
            ['secret "x" missing', "spec.model.secretRef"],
        ),
        (
            pod({}, containerStatuses=ended(reason="OOMKilled", code=137)),
            "OutOfMemory",
            ["limits.memory"],
        ),
        (
            pod({}, containerStatuses=ended(Outcome(reason="DigestMismatch", message="got b"))),
            "DigestMismatch",
            ["got b"],
        ),
        (
            pod({}, containerStatuses=ended(code=139)),
            "RuntimeCrashed",
            ["exit code 139", "kubectl logs pod-1"],
        ),
    ],
)
def test_each_failure_of_a_pod_has_a_reason_and_a_fix(
    sick: Object, reason: str, facts: list[str]
) -> None:
    found = diagnose([sick])
    assert found is not None
    assert found.reason == reason
    for words in facts:
        assert words in found.message


def test_a_crash_is_reported_while_the_container_waits_for_its_restart() -> None:
    status = waiting("CrashLoopBackOff")[0]
    status["lastState"] = ended(Outcome(reason="ModelCorrupt", message="bad"))[0]["state"]
    found = diagnose([pod({}, containerStatuses=[status])])
    assert found is not None
    assert found.reason == "ModelCorrupt"


def crash(**status: Object) -> str:
    found = diagnose([pod({}, containerStatuses=[{"name": "runtime", **status}])])
    assert found is not None
    return found.message


def test_the_command_for_the_log_is_that_of_the_container_that_crashed() -> None:
    ending = {"terminated": {"exitCode": 139}}
    logs = "Run kubectl logs pod-1 -c runtime"
    assert crash(state=ending).endswith(f" {logs} for details.")
    restarted = crash(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=ending)
    assert restarted.endswith(f" {logs} --previous for details.")


@pytest.mark.parametrize(
    ("outcome", "message"), [("x. Check y", "x. Check y."), ("x.", "x."), ("", "")]
)
def test_the_outcome_of_a_pod_gets_a_full_stop(outcome: str, message: str) -> None:
    sick = pod({}, containerStatuses=ended(Outcome(reason="ModelCorrupt", message=outcome)))
    assert diagnose([sick]) == ("ModelCorrupt", message)


def test_a_container_that_is_ready_again_has_no_failure() -> None:
    status = {
        "ready": True,
        "state": {"running": {}},
        "lastState": ended(Outcome(reason="StoreUnreachable", message="was down"))[0]["state"],
    }
    assert diagnose([pod({}, containerStatuses=[status])]) is None


def test_a_pod_that_starts_has_no_failure() -> None:
    assert diagnose([pod({}, containerStatuses=waiting("ContainerCreating"))]) is None


def test_rejected_pods_are_reported_by_their_deployment() -> None:
    deployment = {
        "status": {
            "conditions": [
                {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: gpus"}
            ]
        }
    }
    found = diagnose([], deployment)
    assert found is not None
    assert found.reason == "PodsRefused"
    assert "exceeded quota: gpus" in found.message


def test_only_failures_of_the_model_blame_the_model() -> None:
    blamed = diagnose([pod({}, containerStatuses=ended(Outcome(reason="ModelNotFound")))])
    spared = diagnose([unschedulable("0/1 nodes are available")])
    assert blamed is not None
    assert blamed.blames_model
    assert spared is not None
    assert not spared.blames_model
