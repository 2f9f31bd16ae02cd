import json

import pytest
from support.artifacts import (
    BUNDLE,
    KERAS,
    OUTPUT,
    compressed,
    container,
    planned,
    planned_job,
    published_pod,
    raw,
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

from perennial_contracts.wire.outcome import Outcome


def test_a_pinned_model_needs_no_job() -> None:
    plan = planned(world(spec()))
    assert "Job" not in kinds(plan)
    assert plan.status.candidate
    assert plan.status.candidate.digest == DIGEST
    assert condition(plan, "ModelResolved")[:2] == ("True", "Pinned")


@pytest.mark.parametrize("digest", [None, DIGEST])
def test_a_model_of_unknown_format_is_resolved_before_it_is_compressed(
    digest: str | None,
) -> None:
    of = compressed(digest=digest)
    job = planned_job(planned(world(of)))
    assert "-resolve-" in job["metadata"]["name"]
    found = planned(world(of, pods=[resolver_pod(of, containerStatuses=KERAS)]))
    assert container(found, "convert")["image"] == "trainer-tf:1"
    # By now, the Job and its pod are deleted.
    later = planned(world(of, found.status))
    assert container(later, "convert")["image"] == "trainer-tf:1"
    assert json.loads(container(later, "convert")["env"][0]["value"])["format"] == "Keras"


def test_a_resolved_onnx_model_is_compressed_without_resolving_it_again() -> None:
    of = compressed(digest=None)
    resolving = resolver_pod(of, containerStatuses=ended(Outcome(digest=DIGEST), code=0))
    found = planned(world(of, pods=[resolving]))
    assert container(found, "convert")["image"] == "trainer:1"
    assert condition(found, "ModelResolved")[:2] == ("Unknown", "Packaging")
    assert not found.status.candidate
    later = planned(world(of, found.status))
    assert container(later, "convert")["image"] == "trainer:1"
    prepared = planned(world(of, later.status, pods=[published_pod(of)]))
    assert prepared.status.candidate
    assert prepared.status.candidate.uri == BUNDLE
    served = planned(world(of, prepared.status))
    assert "Job" not in kinds(served)
    assert served.status.resolution == prepared.status.resolution
    # Without compression, the model itself is served.
    plain = spec(model={"digest": None}, packaging=OUTPUT)
    assert planned(world(plain, later.status)).status.candidate.digest == DIGEST  # type: ignore[union-attr]


def test_a_detected_artifact_is_prepared_with_its_format() -> None:
    of = raw("Auto")
    resolving = planned(world(of))
    job = planned_job(resolving)
    assert "-resolve-" in job["metadata"]["name"]
    found = planned(world(of, pods=[resolver_pod(of, containerStatuses=KERAS)]))
    assert found.status.detected
    assert found.status.detected.format == "Keras"
    assert container(found, "convert")["image"] == "trainer-tf:1"
    # By now, the Job and its pod are deleted.
    assert container(planned(world(of, found.status)), "convert")["image"] == "trainer-tf:1"


def test_a_raw_artifact_without_packaging_names_the_field_to_set() -> None:
    of = spec(model={"digest": None, "uri": "s3://models/raw/model.keras"})
    plan = planned(world(of, pods=[resolver_pod(of, containerStatuses=KERAS)]))
    assert condition(plan, "ModelResolved")[:2] == ("False", "NeedsPackaging")
    # The pod has ended; the status of its Job may arrive later.
    assert "Set spec.packaging.output.uri" in condition(plan, "ModelResolved")[2]
    assert plan.status.detected is None
