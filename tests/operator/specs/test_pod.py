import json

import pytest
from support.worlds import child, planned, spec, world

from perennial_operator.objects import Object
from perennial_operator.specs.pod import DRAIN_SECONDS, GRACE_SECONDS


def pod_spec(**fields: object) -> Object:
    deployment = child(planned(world(spec(**fields))), "Deployment")
    template: Object = deployment["spec"]["template"]["spec"]
    return template


def container(**fields: object) -> Object:
    found: Object = pod_spec(**fields)["containers"][0]
    return found


def test_every_child_is_owned_by_its_model_deployment() -> None:
    for each in planned(world()).children:
        (owner,) = each["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["controller"]) == ("uid-1", True)


def test_pods_are_hardened() -> None:
    template = pod_spec()
    assert template["automountServiceAccountToken"] is False
    assert template["securityContext"]["runAsNonRoot"] is True
    assert template["securityContext"]["runAsUser"] > 0
    assert template["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert template["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_the_runtime_gets_the_expected_digest() -> None:
    arguments = container()["args"]
    assert arguments[:2] == ["serve", "s3://models/delays/1/"]
    assert arguments[arguments.index("--digest") + 1] == spec().model.digest
    assert arguments[arguments.index("--name") + 1] == "delays"


def test_the_runtime_gets_batching_flags_only_if_the_spec_has_them() -> None:
    assert not [argument for argument in container()["args"] if "batch" in argument]
    arguments = container(serving={"batching": {"maxSize": 8}})["args"]
    assert arguments[arguments.index("--batch-max-size") + 1] == "8"
    assert arguments[arguments.index("--batch-max-delay-microseconds") + 1] == "0"


def test_the_runtime_gets_an_accelerator_flag_only_if_the_spec_has_it() -> None:
    assert "--accelerator" not in container()["args"]
    arguments = container(serving={"accelerator": "TensorRT"})["args"]
    assert arguments[arguments.index("--accelerator") + 1] == "tensorrt"


def test_the_service_has_ports_for_http_and_grpc() -> None:
    ports = child(planned(world()), "Service")["spec"]["ports"]
    assert [(port["name"], port["port"], port["appProtocol"]) for port in ports] == [
        ("http", 80, "http"),
        ("grpc", 8081, "kubernetes.io/h2c"),
    ]
    names = {port["name"] for port in container()["ports"]}
    assert {port["targetPort"] for port in ports} <= names


def test_the_pod_reads_credentials_from_the_secret_without_the_operator() -> None:
    assert container(model={"secretRef": {"name": "keys"}})["envFrom"] == [
        {"secretRef": {"name": "keys"}}
    ]


def test_a_claim_is_mounted_read_only() -> None:
    template = pod_spec(model={"uri": "pvc://models/delays/1/"})
    (volume,) = [each for each in template["volumes"] if each["name"] == "model"]
    assert volume["persistentVolumeClaim"] == {"claimName": "models", "readOnly": True}
    (mount,) = [
        each for each in template["containers"][0]["volumeMounts"] if each["name"] == "model"
    ]
    assert mount["readOnly"] is True
    assert template["containers"][0]["args"][1] == mount["mountPath"] + "/delays/1/"


IMAGE_DIGEST = "sha256:" + "1" * 64


@pytest.mark.parametrize(
    ("uri", "reference", "path"),
    [
        ("oci://ghcr.io/org/delays:1/", "ghcr.io/org/delays:1", "/"),
        ("oci://ghcr.io/delays:1.2-a/models/", "ghcr.io/delays:1.2-a", "/models/"),
        ("oci://host:5000/a/b/c:x/m/model.onnx", "host:5000/a/b/c:x", "/m/model.onnx"),
        (f"oci://host/a/b@{IMAGE_DIGEST}/m/", f"host/a/b@{IMAGE_DIGEST}", "/m/"),
        (f"oci://host/a/b:1@{IMAGE_DIGEST}/m:2/", f"host/a/b:1@{IMAGE_DIGEST}", "/m:2/"),
    ],
)
def test_an_image_is_mounted_read_only(uri: str, reference: str, path: str) -> None:
    template = pod_spec(model={"uri": uri})
    (volume,) = [each for each in template["volumes"] if each["name"] == "model"]
    assert volume == {
        "name": "model",
        "image": {"reference": reference, "pullPolicy": "IfNotPresent"},
    }
    (mount,) = [
        each for each in template["containers"][0]["volumeMounts"] if each["name"] == "model"
    ]
    assert mount["readOnly"] is True
    assert template["containers"][0]["args"][1] == mount["mountPath"] + path


@pytest.mark.parametrize(
    "uri",
    [
        "gs://models/delays/1/",
        "az://models/delays/1/",
        "abfss://models@account.dfs.core.windows.net/delays/1/",
        "hf://org/delays@v1/onnx/",
    ],
)
def test_the_runtime_reads_a_store_with_the_credentials_of_the_secret(uri: str) -> None:
    template = pod_spec(model={"uri": uri, "secretRef": {"name": "keys"}})
    assert template["containers"][0]["args"][1] == uri
    assert template["containers"][0]["envFrom"] == [{"secretRef": {"name": "keys"}}]
    assert [each["name"] for each in template["volumes"]] == ["cache", "tmp"]


def test_the_pods_get_resources_and_scheduling() -> None:
    template = pod_spec(
        serving={
            "resources": {"limits": {"nvidia.com/gpu": 2}},
            "imagePullSecrets": [{"name": "pull"}],
            "scheduling": {
                "nodeSelector": {"zone": "a"},
                "tolerations": [{"key": "gpu", "operator": "Exists"}],
                "affinity": {"nodeAffinity": {}},
                "priorityClassName": "high",
                "runtimeClassName": "nvidia",
            },
        }
    )
    assert template["containers"][0]["resources"] == {"limits": {"nvidia.com/gpu": 2}}
    assert template["nodeSelector"] == {"zone": "a"}
    assert template["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
    assert template["affinity"] == {"nodeAffinity": {}}
    assert template["priorityClassName"] == "high"
    assert template["runtimeClassName"] == "nvidia"
    assert template["imagePullSecrets"] == [{"name": "pull"}]


def test_a_terminating_pod_has_time_to_drain_and_to_finish() -> None:
    assert pod_spec()["terminationGracePeriodSeconds"] > DRAIN_SECONDS + GRACE_SECONDS


def test_the_budget_allows_one_unavailable_replica() -> None:
    plan = planned(world())
    budget = child(plan, "PodDisruptionBudget")
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["selector"]["matchLabels"] == child(plan, "Service")["spec"]["selector"]


def test_children_of_a_long_name_have_valid_names() -> None:
    for each in planned(world(spec(model={"digest": None}), name="m." + "x" * 198)).children:
        assert len(each["metadata"]["name"]) <= 63
        assert all(len(value) <= 63 for value in each["metadata"]["labels"].values())
        json.dumps(each)
