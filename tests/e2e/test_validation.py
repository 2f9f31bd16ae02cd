"""Specs that the API server rejects, and its messages."""

import copy
import json
from typing import Any

import pytest
from support.cluster import Cluster, KubectlError, Namespace

pytestmark = pytest.mark.cluster

GOOD: dict[str, Any] = {
    "model": {"uri": "s3://models/delays/1/", "digest": "sha256:" + "0" * 64},
    "serving": {"resources": {"limits": {"nvidia.com/gpu": 1}}},
}


def dry_run(namespace: Namespace, spec: dict[str, Any], kind: str = "ModelDeployment") -> str:
    resource = {
        "apiVersion": "perennial.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": "checked"},
        "spec": spec,
    }
    return namespace.kubectl(
        "apply", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(resource)
    )


def merged(into: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    result = copy.deepcopy(into)
    for key, value in change.items():
        nested = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if nested else value
    return result


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"model": {"uri": "https://example.com/models/model.onnx"}},
        {"model": {"uri": "pvc://claim/models/1/"}},
        {"model": {"uri": "gs://bucket/models/1/"}},
        {"model": {"uri": "abfss://container@account.dfs.core.windows.net/models/1/"}},
        {"model": {"uri": "hf://org/repository@v1/onnx/"}},
        {"model": {"uri": "oci://registry:5000/models/delays:1/bundle/"}},
        {
            "model": {"format": "XGBoost"},
            "packaging": {
                "output": {"uri": "gs://bucket/made"},
                "sample": "hf://datasets/org/flights/rows.parquet",
            },
        },
        {"monitoring": {"capture": {"uri": "abfss://captured@account.dfs.core.windows.net/x"}}},
        {"replicas": 0},
        {"serving": {"resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}},
        {"serving": {"resources": {"limits": {"nvidia.com/gpu": "2"}}}},
        {
            "serving": {
                "resources": {"requests": {"nvidia.com/gpu": 1}},
                "scheduling": {"affinity": {"nodeAffinity": {}}},
            }
        },
    ],
    ids=str,
)
def test_a_good_spec_is_accepted(namespace: Namespace, change: dict[str, Any]) -> None:
    assert "checked" in dry_run(namespace, merged(GOOD, change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"uri": "ftp://host/model"}}, "expected s3://BUCKET/PATH, http(s)://HOST/PATH"),
        ({"model": {"uri": "s3://bucket"}}, "expected s3://BUCKET/PATH"),
        ({"model": {"uri": "oci://registry/models/delays/"}}, "oci://REGISTRY/REPOSITORY:TAG/PATH"),
        ({"model": {"digest": "sha256:abc"}}, "expected sha256: and 64 hexadecimal digits"),
        ({"model": {"digest": "md5:" + "0" * 32}}, "expected sha256: and 64 hexadecimal digits"),
        (
            {"serving": {"resources": {"limits": {"nvidia.com/gpu": "500m"}}}},
            "spec.serving.resources.limits[nvidia.com/gpu]: expected a whole number of GPUs",
        ),
        (
            {
                "serving": {
                    "resources": {
                        "limits": {"nvidia.com/gpu": 1},
                        "requests": {"nvidia.com/gpu": 2},
                    }
                }
            },
            "requests[nvidia.com/gpu]: expected the same number as in limits",
        ),
        ({"replicas": -1}, "spec.replicas"),
        ({"replicas": 1001}, "spec.replicas"),
        (
            {"serving": {"scheduling": {"tolerations": [{"operator": "Maybe"}]}}},
            'supported values: "Exists", "Equal"',
        ),
        ({"serving": {"image": ""}}, "spec.serving.image"),
        ({"model": {"format": "Torch"}}, "spec.model.format"),
        (
            {"model": {"format": "SkLearn"}},
            "spec.packaging.output.uri: required, because spec.model.format",
        ),
        ({"packaging": {"output": {"uri": "pvc://claim/out"}}}, "expected s3://BUCKET/PATH"),
        ({"packaging": {"output": {"uri": "hf://org/made/x"}}}, "expected s3://BUCKET/PATH"),
        ({"monitoring": {"capture": {"uri": "hf://org/x/y"}}}, "expected pvc://CLAIM/PATH, s3://"),
        (
            {"compression": {"methods": [{"type": "Int8Dynamic"}]}},
            "spec.compression.gate.data: required",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_spec_is_rejected_with_the_field_and_the_fix(
    namespace: Namespace, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(KubectlError) as refused:
        dry_run(namespace, merged(GOOD, change))
    assert message in str(refused.value)


RUN: dict[str, Any] = {
    "modelRef": {"name": "delays"},
    "data": {"label": "late"},
    "output": {"uri": "s3://models/flights"},
}
_WORKSPACE = {"size": "1Gi"}
_TRAIN_JOB = {"type": "TrainJob", "runtimeRef": {"name": "torch"}, "workspace": _WORKSPACE}
_SHARED = {**_TRAIN_JOB, "nodes": 2, "workspace": {"size": 1, "accessModes": ["ReadWriteMany"]}}
_FLOAT16 = {"methods": [{"type": "Float16"}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"search": {"task": "Regression", "metric": "f1"}},
            "spec.search.metric: for search.task: Regression expected rmse, mae, r2, pinball_10",
        ),
        (
            {"search": {"metric": "rmse"}},
            "pinball_10 or pinball_90, and for Classification another metric",
        ),
        (
            {"compression": {**_FLOAT16, "gate": {"metric": "mae"}}},
            "spec.compression.gate.metric: for search.task: Regression expected rmse",
        ),
        (
            {
                "search": {"task": "Regression"},
                "compression": {**_FLOAT16, "gate": {"metric": "accuracy"}},
            },
            "spec.compression.gate.metric: for search.task: Regression expected rmse",
        ),
        (
            {"search": {"task": "Regression", "candidates": ["Logistic"]}},
            "spec.search.candidates: Logistic requires task: Classification",
        ),
        ({"budget": {"sizeBytes": "5 MB"}}, "expected a size in bytes such as 50Mi"),
        ({"queueName": "A B"}, "expected the name of a LocalQueue"),
        (
            {"compression": {**_FLOAT16, "gate": {"data": "s3://bucket/rows.parquet"}}},
            "spec.compression.gate.data: not allowed",
        ),
        (
            {"backend": {"type": "TrainJob"}},
            "spec.backend: type: TrainJob requires runtimeRef.name and workspace.size",
        ),
        (
            {"backend": {"nodes": 2}},
            "spec.backend: runtimeRef, workspace, nodes and command require type: TrainJob",
        ),
        (
            {"backend": {**_TRAIN_JOB, "nodes": 2}, "image": "mine:1"},
            "spec.backend.workspace.accessModes: expected [ReadWriteMany]",
        ),
        (
            {"backend": _SHARED},
            "spec.image: required with backend.nodes above 1 or backend.command",
        ),
        (
            {"backend": {**_TRAIN_JOB, "command": ["train"]}},
            "spec.image: required with backend.nodes above 1 or backend.command",
        ),
        (
            {"backend": _TRAIN_JOB, "queueName": "team-a"},
            "spec.queueName: not supported with spec.backend.type: TrainJob",
        ),
        (
            {"backend": {**_TRAIN_JOB, "workspace": {"size": "1 GB"}}},
            "expected a size in bytes such as 20Gi",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_run_is_rejected_with_the_field_and_the_fix(
    namespace: Namespace, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(KubectlError) as refused:
        dry_run(namespace, merged(RUN, change), "RetrainJob")
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "change", [{}, {"backend": _TRAIN_JOB}, {"backend": _SHARED, "image": "mine:1"}], ids=str
)
def test_a_good_run_is_accepted(namespace: Namespace, change: dict[str, Any]) -> None:
    assert "checked" in dry_run(namespace, merged(RUN, change), "RetrainJob")


def test_an_unknown_field_is_reported(namespace: Namespace) -> None:
    with pytest.raises(KubectlError, match="unknown field"):
        dry_run(namespace, {**GOOD, "replica": 2})


def test_client_side_apply_takes_the_crds(cluster: Cluster) -> None:
    cluster.kubectl("apply", "-k", "crds", "--server-side=false")
