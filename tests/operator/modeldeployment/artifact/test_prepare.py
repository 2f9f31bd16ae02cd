import json

import pytest
from support import loops
from support.artifacts import (
    BUNDLE,
    BUNDLE_OUTCOME,
    OUTPUT,
    TRAINERS,
    compressed,
    container,
    failed_pod,
    planned,
    planned_job,
    prepare_job_of,
    prepare_pod,
    published_pod,
    raw,
    step,
)
from support.worlds import (
    DIGEST,
    condition,
    ended,
    kinds,
    resolver_pod,
    spec,
    world,
)

from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.wire.formats import Variant
from perennial_contracts.wire.outcome import Outcome
from perennial_operator.revision import attempt_name


@pytest.mark.parametrize(
    ("format_", "image"),
    [
        *((one, "trainer:1") for one in ("SkLearn", "XGBoost", "LightGBM", "MLflow")),
        *((one, "trainer-tf:1") for one in ("Keras", "SavedModel", "TFLite")),
        ("PyTorch", "trainer-torch:1"),
    ],
)
def test_a_named_format_is_prepared_at_once_by_the_image_for_it(format_: str, image: str) -> None:
    plan = planned(world(raw(format_)))
    assert kinds(plan) == ["ServiceAccount", "Job"]
    assert container(plan, "convert")["image"] == image
    assert condition(plan, "ModelResolved")[:2] == ("Unknown", "Packaging")
    assert condition(plan, "Progressing")[:2] == ("True", "PackagingModel")


def test_an_onnx_model_is_prepared_if_it_must_be_compressed() -> None:
    plan = planned(world(compressed(format="Onnx")))
    sent = json.loads(container(plan, "convert")["env"][0]["value"])
    assert sent["compression"]["gate"]["data"] == "s3://models/rows.parquet"
    assert sent["digest"] == DIGEST
    assert container(plan, "convert")["image"] == "trainer:1"


def test_a_model_in_an_image_is_mounted_for_the_fetching_step_only() -> None:
    of = spec(
        model={"digest": None, "uri": "oci://registry:5000/raw:1/saved/", "format": "SavedModel"},
        packaging={**OUTPUT, "imagePullSecrets": [{"name": "trainers"}]},
        serving={"imagePullSecrets": [{"name": "models"}, {"name": "trainers"}]},
    )
    plan = planned(world(of))
    job = planned_job(plan)
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


def test_the_converting_step_has_no_credentials_and_shares_no_writable_folder() -> None:
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
    job = planned_job(plan)
    assert job["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


def test_a_prepared_bundle_is_recorded_and_served_and_its_job_deleted() -> None:
    of = raw("SkLearn", secretRef={"name": "of-output"})
    done = published_pod(of)
    plan = planned(world(of, pods=[done]))
    assert "Job" not in kinds(plan)
    assert plan.status.candidate
    assert plan.status.candidate.uri == BUNDLE
    assert plan.status.resolution
    assert plan.status.resolution.report == BUNDLE_OUTCOME.report
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
def test_the_message_names_the_running_step(running: str, message: str) -> None:
    of = raw()
    inits = [step("fetch", terminated={"exitCode": 0}), step("convert", terminated={"exitCode": 0})]
    names = ["fetch", "convert"]
    if running in names:
        inits[names.index(running)] = step(running, running={})
    last = [step("publish", running={})] if running == "publish" else []
    plan = planned(world(of, children=[prepare_job_of(of)], pods=[prepare_pod(of, inits, last)]))
    assert condition(plan, "ModelResolved") == ("Unknown", "Packaging", message)


@pytest.mark.parametrize(
    "reason", ["ConversionFailed", "ParityFailed", "UnsupportedModel", "UntrustedModel"]
)
def test_a_model_that_cannot_be_converted_is_retried_only_after_a_change_of_the_spec(
    reason: str,
) -> None:
    of = raw()
    broken = failed_pod(of, "convert", Outcome(reason=reason, message="it is so"))
    plan = planned(world(of, children=[prepare_job_of(of, 10_000)], pods=[broken]))
    assert condition(plan, "ModelResolved") == ("False", reason, "it is so.")
    assert condition(plan, "Progressing")[:2] == ("False", reason)
    assert plan.look_again is None
    kept = next(child["metadata"]["name"] for child in plan.children if child["kind"] == "Job")
    changed = planned(world(raw(trusted=True), plan.status, children=[prepare_job_of(of, 10_000)]))
    made = next(child["metadata"]["name"] for child in changed.children if child["kind"] == "Job")
    assert made != kept


def test_too_little_memory_names_the_field_whose_change_starts_another_attempt() -> None:
    of = raw()
    killed = failed_pod(of, "convert", None, code=137, reason="OOMKilled")
    plan = planned(world(of, children=[prepare_job_of(of, 5)], pods=[killed]))
    status, reason, message = condition(plan, "ModelResolved")
    assert (status, reason) == ("False", "OutOfMemory")
    assert "spec.packaging.resources.limits.memory" in message
    assert attempt_name(raw(resources={"limits": {"memory": "2Gi"}})) != attempt_name(of)


def test_an_unreachable_store_is_retried() -> None:
    of = raw()
    gone = failed_pod(of, "fetch", Outcome(reason="StoreUnreachable", message="no answer."), code=3)
    plan = planned(world(of, children=[prepare_job_of(of, 5)], pods=[gone]))
    assert condition(plan, "ModelResolved")[:2] == ("False", "StoreUnreachable")
    assert plan.look_again == 10
    later = planned(
        world(of, plan.status, children=[prepare_job_of(of, 5)], pods=[gone]), seconds=60
    )
    assert "Job" not in kinds(later)
    third = planned(world(of, later.status, children=[prepare_job_of(of, 5)], pods=[gone]))
    assert condition(third, "ModelResolved")[2].count("Retrying with back-off") == 1


def test_an_exceeded_deadline_names_its_field() -> None:
    of = raw(activeDeadlineSeconds=60)
    plan = planned(world(of, children=[prepare_job_of(of, 5, "DeadlineExceeded")]))
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


def test_a_bad_artifact_does_not_affect_the_serving_model() -> None:
    before = raw("SkLearn")
    done = published_pod(before)
    first = planned(world(before, pods=[done])).status
    status = first.model_copy(update={"stable": first.candidate, "candidate": None})
    of = raw("Keras")
    broken = failed_pod(of, "convert", Outcome(reason="ConversionFailed", message="it is so."))
    plan = planned(world(of, status, children=[prepare_job_of(of, 5)], pods=[broken]))
    assert plan.status.stable == status.stable
    assert "keeps serving" in condition(plan, "Progressing")[2]


@pytest.mark.parametrize(
    ("reason", "final"), [("ConversionFailed", True), ("StoreUnreachable", False)]
)
def test_a_recorded_failure_stays_as_it_is_when_the_pods_are_gone(reason: str, final: bool) -> None:
    of = raw()
    # As an earlier version of the operator wrote it.
    message = "no answer. It is tried again every while, and when spec.model changes."
    recorded = loops.condition_of("ModelResolved", "False", reason, message)
    status = ModelDeploymentStatus(conditions=[recorded])
    plan = planned(world(of, status, children=[prepare_job_of(of, 5)]))
    assert condition(plan, "ModelResolved") == ("False", reason, message)
    assert "Job" in kinds(plan)
    assert (plan.look_again is None) == final
