"""Specs and worlds of many kinds, by name."""

from typing import Any

from support import loops, worlds
from support.worlds import DIGEST, NOW

from perennial_contracts.api.common import LocalReference
from perennial_contracts.api.modeldeployment import ModelDeploymentSpec
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.api.retrainjob import RetrainJobSpec
from perennial_contracts.api.retrainjob_status import ModelReference, RetrainJobStatus
from perennial_operator.clock import to_text
from perennial_operator.objects import Object
from perennial_operator.world import RunWorld

TRAINERS: Any = {"tabular": "trainer:1", "tf": "trainer-tf:1", "torch": "trainer-torch:1"}
OUTPUT = {"uri": "s3://models/bundles"}
GPU = {"limits": {"nvidia.com/gpu": 1, "memory": "8Gi"}, "requests": {"cpu": "500m"}}
SCHEDULING = {
    "nodeSelector": {"zone": "a"},
    "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "runtimeClassName": "nvidia",
}
GATE = {"metric": "accuracy", "data": "s3://models/gate.parquet", "label": "late"}
FULL = {
    "image": "mine:2",
    "imagePullSecrets": [{"name": "pull"}],
    "resources": GPU,
    "accelerator": "TensorRT",
    "batching": {"maxSize": 8, "maxDelayMicroseconds": 500},
    "scheduling": SCHEDULING,
}
LONG = "m.2" + "x" * 97
"""A name that no child may have as it is."""

SPECS: dict[str, dict[str, Any]] = {
    "plain": {},
    "replicas": {"replicas": 3},
    "unpinned": {"model": {"digest": None}},
    "secret": {"model": {"secretRef": {"name": "keys"}}},
    "claim": {"model": {"uri": "pvc://models/delays/1/"}},
    "image": {"model": {"uri": "oci://ghcr.io/org/delays:1/m/"}},
    "hub": {"model": {"uri": "hf://org/delays@v1/onnx/", "digest": None}},
    "serving": {"serving": FULL},
    "accelerator": {"serving": {"accelerator": "Cpu"}},
    "batching": {"serving": {"batching": {}}},
    "gpu": {"model": {"digest": None}, "serving": {"resources": GPU}},
    "capture": {"monitoring": {"capture": {"uri": "s3://models/capture/"}}},
    "capture-claim": {
        "monitoring": {
            "capture": {"uri": "pvc://captured/delays", "samplePermille": 10, "flushSeconds": 5}
        }
    },
    "monitoring": {"monitoring": {"window": "10m", "quality": {"metric": "roc_auc"}}},
    "raw": {
        "model": {"uri": "s3://models/raw/model.pkl", "digest": None, "format": "SkLearn"},
        "packaging": {"output": OUTPUT},
    },
    "raw-keras": {
        "model": {
            "uri": "pvc://models/raw/model.keras",
            "digest": None,
            "format": "Keras",
            "secretRef": {"name": "read"},
        },
        "packaging": {
            "output": OUTPUT,
            "secretRef": {"name": "write"},
            "trusted": True,
            "sample": "s3://models/sample.parquet",
            "resources": GPU,
            "scheduling": {"nodeSelector": {"zone": "a"}},
            "imagePullSecrets": [{"name": "pull"}],
            "activeDeadlineSeconds": 100,
        },
    },
    "raw-image": {
        "model": {"uri": "oci://host/raw:1/m/", "format": "PyTorch"},
        "packaging": {"output": OUTPUT, "image": "converter:1"},
        "serving": {"imagePullSecrets": [{"name": "registry"}]},
    },
    "compressed": {
        "model": {"format": "Onnx"},
        "packaging": {"output": OUTPUT},
        "compression": {
            "methods": [{"type": "Int8Static"}, {"type": "Prune"}],
            "gate": GATE,
        },
    },
}


def spec(name: str) -> ModelDeploymentSpec:
    """Return the spec of a case."""
    return worlds.spec(**dict(SPECS[name]))


CHAMPION = ModelReference(uri="s3://models/delays/1/", digest=DIGEST)
BACKEND = {
    "type": "TrainJob",
    "runtimeRef": {"name": "torch-distributed"},
    "workspace": {"size": "5Gi", "storageClassName": "nfs"},
}
RUNS: dict[str, dict[str, Any]] = {
    "plain": {},
    "queue": {"queueName": "team-a", "ttlSecondsAfterFinished": 60},
    "full": {
        "image": "mine:1",
        "imagePullSecrets": [{"name": "pull"}],
        "secretRef": {"name": "run-keys"},
        "resources": GPU,
        "scheduling": SCHEDULING,
        "activeDeadlineSeconds": 100,
        "search": {"metric": "roc_auc", "maxTrials": 3, "seed": 7},
        "compression": {"methods": [{"type": "Float16"}]},
        "data": {"label": "late", "baseline": "s3://models/base.parquet", "window": "7d"},
    },
    "staged": {"backend": BACKEND},
    "staged-full": {
        "backend": {
            **BACKEND,
            "nodes": 4,
            "command": ["torchrun", "train.py"],
            "runtimeRef": {"name": "mine", "kind": "TrainingRuntime"},
            "workspace": {"size": "5Gi", "accessModes": ["ReadWriteMany"]},
        },
        "image": "mine:1",
        "imagePullSecrets": [{"name": "pull"}],
        "resources": GPU,
        "scheduling": SCHEDULING,
    },
}


def run(
    name: str = "delays-1",
    model: str = "delays",
    status: RetrainJobStatus | None = None,
    children: list[Object] | None = None,
    pods: list[Object] | None = None,
    champion: ModelReference = CHAMPION,
    capture: str = "s3://models/capture/",
    **fields: Any,
) -> RunWorld:
    """Return a RetrainJob that has recorded its champion, with live children."""
    of = loops.spec(monitoring={"capture": {"uri": capture}})
    source = of.model.model_copy(update={"secretRef": LocalReference(name="models-s3")})
    of = of.model_copy(update={"model": source})
    required = {**loops.TEMPLATE, "modelRef": {"name": model}}
    return RunWorld(
        namespace="default",
        name=name,
        uid="uid-2",
        generation=1,
        children={(each["kind"], each["metadata"]["name"]): each for each in children or ()},
        pods=tuple(pods or ()),
        spec=RetrainJobSpec.model_validate({**required, **fields}),
        status=status or RetrainJobStatus(champion=champion, startTime=to_text(NOW)),
        deployed=(of, ModelDeploymentStatus(stable=worlds.revision(of))),
    )
