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


def test_every_child_goes_with_its_model_deployment() -> None:
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


def test_the_runtime_is_told_the_digest_that_it_must_find() -> None:
    arguments = container()["args"]
    assert arguments[:2] == ["serve", "s3://models/delays/1/"]
    assert arguments[arguments.index("--digest") + 1] == spec().model.digest
    assert arguments[arguments.index("--name") + 1] == "delays"


def test_the_runtime_is_told_how_to_batch_only_where_the_spec_says_so() -> None:
    assert not [argument for argument in container()["args"] if "batch" in argument]
    arguments = container(serving={"batching": {"maxSize": 8}})["args"]
    assert arguments[arguments.index("--batch-max-size") + 1] == "8"
    assert arguments[arguments.index("--batch-max-delay-microseconds") + 1] == "0"


def test_the_runtime_is_told_its_accelerator_only_where_the_spec_says_so() -> None:
    assert "--accelerator" not in container()["args"]
    arguments = container(serving={"accelerator": "TensorRT"})["args"]
    assert arguments[arguments.index("--accelerator") + 1] == "tensorrt"


def test_http_and_grpc_have_ports_of_the_service_that_say_so() -> None:
    ports = child(planned(world()), "Service")["spec"]["ports"]
    assert [(port["name"], port["port"], port["appProtocol"]) for port in ports] == [
        ("http", 80, "http"),
        ("grpc", 8081, "kubernetes.io/h2c"),
    ]
    names = {port["name"] for port in container()["ports"]}
    assert {port["targetPort"] for port in ports} <= names


def test_credentials_come_from_the_secret_and_pass_by_the_operator() -> None:
    assert container(model={"secretRef": {"name": "keys"}})["envFrom"] == [
        {"secretRef": {"name": "keys"}}
    ]


def test_a_claim_is_mounted_for_reading_only() -> None:
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
def test_an_image_is_mounted_for_reading_only(uri: str, reference: str, path: str) -> None:
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
def test_a_store_is_asked_by_the_runtime_with_the_credentials_of_the_secret(uri: str) -> None:
    template = pod_spec(model={"uri": uri, "secretRef": {"name": "keys"}})
    assert template["containers"][0]["args"][1] == uri
    assert template["containers"][0]["envFrom"] == [{"secretRef": {"name": "keys"}}]
    assert [each["name"] for each in template["volumes"]] == ["cache", "tmp"]


def test_resources_and_placement_reach_the_pods() -> None:
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


def test_a_pod_that_ends_has_time_to_drain_and_to_finish() -> None:
    assert pod_spec()["terminationGracePeriodSeconds"] > DRAIN_SECONDS + GRACE_SECONDS


def test_the_budget_lets_one_serving_replica_go_at_a_time() -> None:
    plan = planned(world())
    budget = child(plan, "PodDisruptionBudget")
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["selector"]["matchLabels"] == child(plan, "Service")["spec"]["selector"]


def test_long_names_give_children_of_valid_length() -> None:
    for each in planned(world(spec(model={"digest": None}), name="m." + "x" * 198)).children:
        assert len(each["metadata"]["name"]) <= 63
        assert all(len(value) <= 63 for value in each["metadata"]["labels"].values())
        json.dumps(each)
