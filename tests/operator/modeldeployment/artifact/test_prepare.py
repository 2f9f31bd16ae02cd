import json
from datetime import timedelta
from typing import Any

import pytest
from support.worlds import (
    DIGEST,
    NOW,
    OTHER_DIGEST,
    condition,
    ended,
    images,
    kinds,
    pod,
    resolver_pod,
    spec,
    world,
)

from perennial_contracts.api.modeldeployment import ModelDeploymentSpec
from perennial_contracts.wire.formats import Variant
from perennial_contracts.wire.outcome import Outcome
from perennial_operator.clock import to_text
from perennial_operator.modeldeployment.plan import ModelDeploymentPlan, decide
from perennial_operator.names import PREPARE_LABEL
from perennial_operator.objects import Object
from perennial_operator.revision import attempt_name
from perennial_operator.specs import prepare_job
from perennial_operator.world import World

TRAINERS: dict[Variant, str] = {
    "tabular": "trainer:1", "tf": "trainer-tf:1", "torch": "trainer-torch:1",
}  # fmt: skip
OUTPUT: dict[str, Any] = {"output": {"uri": "s3://models/bundles"}}
BUNDLE = f"s3://models/bundles/{OTHER_DIGEST[7:19]}/"
MADE = Outcome(
    digest=OTHER_DIGEST,
    uri=BUNDLE,
    artifact=DIGEST,
    format="SkLearn",
    report=f"{BUNDLE}report.html",
)
RAW = ended(
    Outcome(reason="NeedsPackaging", format="Keras", variant="tf", message="model.keras is Keras")
)


def raw(format_: str = "Keras", **packaging: Any) -> ModelDeploymentSpec:
    model = {"digest": None, "uri": "s3://models/raw/model.bin", "format": format_}
    return spec(model=model, packaging={**OUTPUT, **packaging})


def planned(
    around: World, seconds: float = 0, without: Variant | None = None
) -> ModelDeploymentPlan:
    moment = NOW + timedelta(seconds=seconds)
    trainers = {variant: image for variant, image in TRAINERS.items() if variant != without}
    return decide(around, images(trainers), moment)


def job_of(of: ModelDeploymentSpec, seconds_ago: float | None = None, reason: str = "") -> Object:
    format_ = of.model.format
    job = prepare_job.build(world(of), "trainer:1", format_)
    if seconds_ago is not None:
        moment = to_text(NOW - timedelta(seconds=seconds_ago))
        failed = {"type": "Failed", "status": "True", "reason": reason}
        job["status"] = {"conditions": [{**failed, "lastTransitionTime": moment}]}
    return job


def steps(of: ModelDeploymentSpec, init: list[Object], last: list[Object] = []) -> Object:  # noqa: B006
    labels = {PREPARE_LABEL: attempt_name(of)}
    return pod(labels, initContainerStatuses=init, containerStatuses=last)


def step(name: str, **state: Any) -> Object:
    return {"name": name, "ready": False, "state": state}


def failed(of: ModelDeploymentSpec, name: str, outcome: Outcome | None, **more: Any) -> Object:
    (status,) = ended(outcome, **more)
    return steps(of, [{**status, "name": name}])


def container(plan: ModelDeploymentPlan, name: str) -> Object:
    (job,) = (child for child in plan.children if child["kind"] == "Job")
    inside = job["spec"]["template"]["spec"]
    found: Object = next(
        each for each in (*inside["initContainers"], *inside["containers"]) if each["name"] == name
    )
    return found


@pytest.mark.parametrize(
    ("format_", "image"),
    [
        *((one, "trainer:1") for one in ("SkLearn", "XGBoost", "LightGBM", "MLflow")),
        *((one, "trainer-tf:1") for one in ("Keras", "SavedModel", "TFLite")),
        ("PyTorch", "trainer-torch:1"),
    ],
)
def test_a_format_that_is_told_is_packaged_at_once_with_the_image_for_it(
    format_: str, image: str
) -> None:
    plan = planned(world(raw(format_)))
    assert kinds(plan) == ["ServiceAccount", "Job"]
    assert container(plan, "convert")["image"] == image
    assert condition(plan, "ModelResolved")[:2] == ("Unknown", "Packaging")
    assert condition(plan, "Progressing")[:2] == ("True", "PackagingModel")


def compressed(**model: Any) -> ModelDeploymentSpec:
    gate = {"data": "s3://models/rows.parquet"}
    methods = [{"type": "Int8Dynamic"}]
    return spec(model=model, packaging=OUTPUT, compression={"methods": methods, "gate": gate})


def test_an_onnx_model_that_is_to_be_compressed_is_packaged_too() -> None:
    plan = planned(world(compressed(format="Onnx")))
    sent = json.loads(container(plan, "convert")["env"][0]["value"])
    assert sent["compression"]["gate"]["data"] == "s3://models/rows.parquet"
    assert sent["digest"] == DIGEST
    assert container(plan, "convert")["image"] == "trainer:1"


@pytest.mark.parametrize("digest", [None, DIGEST])
def test_what_is_to_be_compressed_is_looked_up_first_where_nobody_says_its_format(
    digest: str | None,
) -> None:
    of = compressed(digest=digest)
    (job,) = (child for child in planned(world(of)).children if child["kind"] == "Job")
    assert "-resolve-" in job["metadata"]["name"]
    found = planned(world(of, pods=[resolver_pod(of, containerStatuses=RAW)]))
    assert container(found, "convert")["image"] == "trainer-tf:1"
    # The lookup and its pod are gone by now.
    later = planned(world(of, found.status))
    assert container(later, "convert")["image"] == "trainer-tf:1"
    assert json.loads(container(later, "convert")["env"][0]["value"])["format"] == "Keras"


def test_what_the_lookup_can_serve_is_compressed_and_not_looked_up_again() -> None:
    of = compressed(digest=None)
    looked = resolver_pod(of, containerStatuses=ended(Outcome(digest=DIGEST), code=0))
    found = planned(world(of, pods=[looked]))
    assert container(found, "convert")["image"] == "trainer:1"
    assert condition(found, "ModelResolved")[:2] == ("Unknown", "Packaging")
    assert not found.status.candidate
    later = planned(world(of, found.status))
    assert container(later, "convert")["image"] == "trainer:1"
    done = steps(of, [], [{**ended(MADE, code=0)[0], "name": "publish"}])
    made = planned(world(of, later.status, pods=[done]))
    assert made.status.candidate
    assert made.status.candidate.uri == BUNDLE
    held = planned(world(of, made.status))
    assert "Job" not in kinds(held)
    assert held.status.resolution == made.status.resolution
    # Without the compression it is the model itself that is served.
    plain = spec(model={"digest": None}, packaging=OUTPUT)
    assert planned(world(plain, later.status)).status.candidate.digest == DIGEST  # type: ignore[union-attr]


def test_a_model_in_an_image_is_mounted_for_the_step_that_fetches() -> None:
    of = spec(
        model={"digest": None, "uri": "oci://registry:5000/raw:1/saved/", "format": "SavedModel"},
        packaging={**OUTPUT, "imagePullSecrets": [{"name": "trainers"}]},
        serving={"imagePullSecrets": [{"name": "models"}, {"name": "trainers"}]},
    )
    plan = planned(world(of))
    (job,) = (child for child in plan.children if child["kind"] == "Job")
    inside = job["spec"]["template"]["spec"]
    assert inside["imagePullSecrets"] == [{"name": "trainers"}, {"name": "models"}]
    volume = next(each for each in inside["volumes"] if each["name"] == "model")
    assert volume["image"] == {"reference": "registry:5000/raw:1", "pullPolicy": "IfNotPresent"}
    (mount,) = (m for m in container(plan, "fetch")["volumeMounts"] if m["name"] == "model")
    assert mount["readOnly"]
    sent = json.loads(container(plan, "fetch")["env"][0]["value"])
    assert sent["uri"] == f"{mount['mountPath']}/saved/"
    for name in ("convert", "publish"):
        assert "model" not in {m["name"] for m in container(plan, name)["volumeMounts"]}


def test_what_converts_has_no_credentials_and_shares_no_place_that_others_run_from() -> None:
    of = spec(
        model={"digest": None, "secretRef": {"name": "of-model"}, "format": "SkLearn"},
        packaging={**OUTPUT, "secretRef": {"name": "of-output"}},
    )
    plan = planned(world(of))
    convert, publish = container(plan, "convert"), container(plan, "publish")
    assert "envFrom" not in convert
    assert convert["securityContext"]["readOnlyRootFilesystem"]
    assert publish["envFrom"] == [{"secretRef": {"name": "of-output"}}]
    named = [each["secretRef"]["name"] for each in container(plan, "fetch")["envFrom"]]
    assert named == ["of-output", "of-model"]
    shared = {m["name"] for m in convert["volumeMounts"]} & {
        m["name"] for m in publish["volumeMounts"] if not m.get("readOnly")
    }
    assert not shared
    (job,) = (child for child in plan.children if child["kind"] == "Job")
    assert job["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


def test_the_bundle_that_was_made_is_served_and_recorded_and_the_job_goes() -> None:
    of = raw("SkLearn", secretRef={"name": "of-output"})
    done = steps(of, [], [{**ended(MADE, code=0)[0], "name": "publish"}])
    plan = planned(world(of, pods=[done]))
    assert "Job" not in kinds(plan)
    assert plan.status.candidate
    assert plan.status.candidate.uri == BUNDLE
    assert plan.status.resolution
    assert plan.status.resolution.report == MADE.report
    assert condition(plan, "ModelResolved")[:2] == ("True", "Packaged")
    (served,) = (child for child in plan.children if child["kind"] == "Deployment")
    (runtime,) = served["spec"]["template"]["spec"]["containers"]
    assert runtime["args"][:2] == ["serve", BUNDLE]
    assert runtime["envFrom"] == [{"secretRef": {"name": "of-output"}}]

    again = planned(world(of, plan.status))
    assert again.status.candidate
    assert again.status.candidate.name == plan.status.candidate.name
    more = raw("SkLearn", secretRef={"name": "of-output"}, resources={"limits": {"memory": "1Gi"}})
    assert "Job" not in kinds(planned(world(more, plan.status)))
    other = raw("SkLearn", secretRef={"name": "of-output"}, trusted=True)
    assert "Job" in kinds(planned(world(other, plan.status)))


@pytest.mark.parametrize(
    ("running", "message"),
    [
        ("fetch", "Fetching s3://models/raw/model.bin."),
        ("convert", "Converting the model from Keras."),
        ("publish", "Publishing the bundle."),
    ],
)
def test_it_is_told_which_step_runs(running: str, message: str) -> None:
    of = raw()
    inits = [step("fetch", terminated={"exitCode": 0}), step("convert", terminated={"exitCode": 0})]
    names = ["fetch", "convert"]
    if running in names:
        inits[names.index(running)] = step(running, running={})
    last = [step("publish", running={})] if running == "publish" else []
    plan = planned(world(of, children=[job_of(of)], pods=[steps(of, inits, last)]))
    assert condition(plan, "ModelResolved") == ("Unknown", "Packaging", message)


@pytest.mark.parametrize(
    "reason", ["ConversionFailed", "ParityFailed", "UnsupportedModel", "UntrustedModel"]
)
def test_what_cannot_be_converted_is_not_tried_again_until_the_spec_changes(reason: str) -> None:
    of = raw()
    broken = failed(of, "convert", Outcome(reason=reason, message="it is so"))
    plan = planned(world(of, children=[job_of(of, 10_000)], pods=[broken]))
    assert condition(plan, "ModelResolved") == ("False", reason, "it is so")
    assert condition(plan, "Progressing")[:2] == ("False", reason)
    assert plan.look_again is None
    kept = next(child["metadata"]["name"] for child in plan.children if child["kind"] == "Job")
    changed = planned(world(raw(trusted=True), plan.status, children=[job_of(of, 10_000)]))
    made = next(child["metadata"]["name"] for child in changed.children if child["kind"] == "Job")
    assert made != kept


def test_too_little_memory_names_the_field_and_more_of_it_is_another_attempt() -> None:
    of = raw()
    killed = failed(of, "convert", None, code=137, reason="OOMKilled")
    plan = planned(world(of, children=[job_of(of, 5)], pods=[killed]))
    status, reason, message = condition(plan, "ModelResolved")
    assert (status, reason) == ("False", "OutOfMemory")
    assert "spec.packaging.resources.limits.memory" in message
    assert attempt_name(raw(resources={"limits": {"memory": "2Gi"}})) != attempt_name(of)


def test_a_store_that_does_not_answer_is_tried_again() -> None:
    of = raw()
    gone = failed(of, "fetch", Outcome(reason="StoreUnreachable", message="no answer."), code=3)
    plan = planned(world(of, children=[job_of(of, 5)], pods=[gone]))
    assert condition(plan, "ModelResolved")[:2] == ("False", "StoreUnreachable")
    assert plan.look_again == 10
    later = planned(world(of, plan.status, children=[job_of(of, 5)], pods=[gone]), seconds=60)
    assert "Job" not in kinds(later)
    third = planned(world(of, later.status, children=[job_of(of, 5)], pods=[gone]))
    assert condition(third, "ModelResolved")[2].count("Retrying with back-off") == 1


def test_a_deadline_that_passed_names_its_field() -> None:
    of = raw(activeDeadlineSeconds=60)
    plan = planned(world(of, children=[job_of(of, 5, "DeadlineExceeded")]))
    status, reason, message = condition(plan, "ModelResolved")
    assert (status, reason) == ("False", "DeadlineExceeded")
    assert "60 s" in message
    assert "spec.packaging.activeDeadlineSeconds" in message


@pytest.mark.parametrize(
    ("format_", "variant", "flag"),
    [
        ("SavedModel", "tf", "--trainer-tf-image"),
        ("PyTorch", "torch", "--trainer-torch-image"),
    ],
)
def test_a_format_without_an_image_names_flag_variable_and_field(
    format_: str, variant: Variant, flag: str
) -> None:
    plan = planned(world(raw(format_)), without=variant)
    status, reason, message = condition(plan, "ModelResolved")
    assert (status, reason) == ("False", "ConverterNotInstalled")
    name = "PERENNIAL_" + flag.removeprefix("--").replace("-", "_").upper()
    for word in (format_, flag, name, "spec.packaging.image"):
        assert word in message
    assert "Job" not in kinds(plan)
    of_own = planned(world(raw(format_, image="own:1")), without=variant)
    assert container(of_own, "convert")["image"] == "own:1"


def test_an_mlflow_directory_is_converted_by_the_image_for_the_model_in_it() -> None:
    of = raw("Auto")
    for variant, image in TRAINERS.items():
        found = Outcome(reason="NeedsPackaging", format="MLflow", variant=variant, message="it is")
        plan = planned(world(of, pods=[resolver_pod(of, containerStatuses=ended(found))]))
        assert container(plan, "convert")["image"] == image


def test_what_a_lookup_came_upon_is_packaged_with_the_format_that_it_found() -> None:
    of = raw("Auto")
    looked = planned(world(of))
    (job,) = (child for child in looked.children if child["kind"] == "Job")
    assert "-resolve-" in job["metadata"]["name"]
    found = planned(world(of, pods=[resolver_pod(of, containerStatuses=RAW)]))
    assert found.status.detected
    assert found.status.detected.format == "Keras"
    assert container(found, "convert")["image"] == "trainer-tf:1"
    # The lookup and its pod are gone by now.
    assert container(planned(world(of, found.status)), "convert")["image"] == "trainer-tf:1"


def test_a_raw_artifact_without_packaging_is_told_what_to_write() -> None:
    of = spec(model={"digest": None, "uri": "s3://models/raw/model.keras"})
    plan = planned(world(of, pods=[resolver_pod(of, containerStatuses=RAW)]))
    assert condition(plan, "ModelResolved")[:2] == ("False", "NeedsPackaging")
    # The pod has ended, and the news of its Job may come later.
    assert "Set spec.packaging.output.uri" in condition(plan, "ModelResolved")[2]
    assert plan.status.detected is None


def test_a_bad_artifact_leaves_the_model_that_serves_alone() -> None:
    before = raw("SkLearn")
    done = steps(before, [], [{**ended(MADE, code=0)[0], "name": "publish"}])
    first = planned(world(before, pods=[done])).status
    status = first.model_copy(update={"stable": first.candidate, "candidate": None})
    of = raw("Keras")
    broken = failed(of, "convert", Outcome(reason="ConversionFailed", message="it is so."))
    plan = planned(world(of, status, children=[job_of(of, 5)], pods=[broken]))
    assert plan.status.stable == status.stable
    assert "keeps serving" in condition(plan, "Progressing")[2]
