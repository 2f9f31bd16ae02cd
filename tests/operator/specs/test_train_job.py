import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import ASSEMBLED, planned, staged

from perennial_contracts.wire.run_plan import Plan
from perennial_operator.objects import Object
from perennial_operator.specs import train_job, workspace

RUNNING: Object = {"running": {}}


def test_the_train_job_mounts_its_files_without_the_held_out_rows() -> None:
    backend = {"nodes": 4, "command": ["torchrun", "train.py"]}
    limits = {"limits": {"nvidia.com/gpu": 1}}
    around = staged(ASSEMBLED, backend=backend, image="mine:1", resources=limits)
    job = planned(around).children[-1]
    trainer, (patch,) = job["spec"]["trainer"], job["spec"]["runtimePatches"]
    assert (trainer["image"], trainer["numNodes"]) == ("mine:1", 4)
    assert trainer["command"] == ["torchrun", "train.py"]
    assert "args" not in trainer
    assert trainer["resourcesPerNode"] == limits
    Plan.model_validate_json(trainer["env"][0]["value"])
    (of_job,) = patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
    template = of_job["template"]["spec"]["template"]
    assert template["metadata"]["annotations"] == {"perennial.dev/retrain-job": "delays-1"}
    (container,) = template["spec"]["containers"]
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert mounts.keys() == {"/perennial", "/tmp"}
    # The API of TrainJobs tells mounts apart by the volume's name.
    assert len({mount["name"] for mount in mounts.values()}) == len(mounts)
    seen = mounts["/perennial"]["subPath"]
    for step, shown in (("assemble", {"input", "output"}), ("judge", {"input", "output"})):
        files = {mount["subPath"] for mount in workspace.mounts(step) if mount["name"] == "work"}
        assert files == {f"{seen}/{name}" for name in shown} | {"holdout"}
    assert "env" not in container


def test_the_built_in_search_runs_with_its_own_command() -> None:
    trainer = planned(staged(ASSEMBLED)).children[-1]["spec"]["trainer"]
    assert trainer["image"] == "trainer:1"
    assert trainer["command"] + trainer["args"] == ["perennial-trainer", "train"]


def test_the_claim_has_the_settings_of_the_spec() -> None:
    claim, job = planned(staged()).children
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "5Gi"}},
        "storageClassName": "nfs",
    }
    pod_spec = job["spec"]["template"]["spec"]
    volume = next(each for each in pod_spec["volumes"] if each["name"] == "work")
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    # A Job that went by itself would take with it that the rows are assembled.
    assert "ttlSecondsAfterFinished" not in job["spec"]


@pytest.mark.parametrize("kind", ["ClusterTrainingRuntime", "TrainingRuntime"])
def test_the_training_runtime_is_referenced_with_its_kind(kind: str) -> None:
    backend = {"runtimeRef": {"name": "mine", "kind": kind}}
    job = planned(staged(ASSEMBLED, backend=backend)).children[-1]
    api_group = "trainer.kubeflow.org"
    assert job["spec"]["runtimeRef"] == {"apiGroup": api_group, "kind": kind, "name": "mine"}


_AROUND = staged()


@given(st.lists(st.sampled_from(["a", "0", "-b", ".c"]), min_size=1, max_size=120).map("".join))
def test_the_names_of_pods_are_dns_labels_for_any_name_of_a_run(name: str) -> None:
    made_up = train_job.job_name(replace(_AROUND, name=name))
    assert len(f"{made_up}-node-0-999-abcde") <= 63
    assert re.fullmatch("[a-z]([-a-z0-9]*[a-z0-9])?", made_up)
