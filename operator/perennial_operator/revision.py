"""Identify a revision by model digest, serving settings and runtime image."""

import hashlib
import json
from dataclasses import dataclass

from perennial_contracts.api.common import LocalReference
from perennial_contracts.api.modeldeployment import ModelDeploymentSpec, ModelSource
from perennial_contracts.api.modeldeployment_status import Revision
from perennial_contracts.api.retrainjob_status import Lineage


@dataclass(frozen=True)
class ModelArtifact:
    """A model in a store, and the Secret with the credentials to read it."""

    uri: str
    secret: LocalReference | None
    digest: str | None = None
    """None until it is resolved."""


def revision_name(spec: ModelDeploymentSpec, digest: str, image: str) -> str:
    """Return the hash of a revision, 10 hexadecimal digits.

    Fields at their defaults are left out. So a field that a later version adds does not change the
    hash of a spec that does not use it.
    """
    return _hash(
        {
            "model": spec.model.model_dump(exclude={"digest"}, exclude_defaults=True),
            "digest": digest,
            "serving": spec.serving.model_dump(exclude={"image"}, exclude_defaults=True),
            "image": image,
            **_capture_settings(spec),
        }
    )


def _capture_settings(spec: ModelDeploymentSpec) -> dict[str, object]:
    """Return the capture settings. They are flags of the pods."""
    capture = spec.monitoring.capture if spec.monitoring else None
    return {"capture": capture.model_dump(exclude_defaults=True)} if capture else {}


def promotion_source(model: ModelSource) -> str:
    """Return the hash of a whole spec.model. A promotion is valid until it changes."""
    return _hash(model.model_dump(exclude_defaults=True))


def source_name(model: ModelSource) -> str:
    """Return the hash of spec.model without digest. A change resolves the model again."""
    return _hash(model.model_dump(exclude={"digest"}, exclude_defaults=True))


def prepared_name(spec: ModelDeploymentSpec) -> str:
    """Return the hash of all that determines a bundle. A change prepares another one."""
    return _hash(_bundle_inputs(spec))


def attempt_name(spec: ModelDeploymentSpec) -> str:
    """Return the hash of a bundle's inputs and of its Job's settings.

    A bundle that failed for lack of memory is prepared again when its Job gets more.
    """
    packaging = spec.packaging
    settings = packaging.model_dump(exclude_defaults=True) if packaging else {}
    return _hash({**_bundle_inputs(spec), "packaging": settings})


def credentials(spec: ModelDeploymentSpec, uri: str) -> LocalReference | None:
    """Return the Secret for a URI that a status recorded without its Secret.

    URIs below spec.packaging.output.uri belong to spec.packaging.secretRef, all others to
    spec.model.secretRef.
    """
    packaging = spec.packaging
    if not packaging or not packaging.secretRef or uri == spec.model.uri:
        return spec.model.secretRef
    prepared = uri.startswith(f"{packaging.output.uri.rstrip('/')}/")
    return packaging.secretRef if prepared else spec.model.secretRef


def artifact_of(spec: ModelDeploymentSpec, revision: Revision) -> ModelArtifact:
    """Return the model of a revision."""
    return ModelArtifact(revision.uri, credentials(spec, revision.uri), revision.digest)


def _bundle_inputs(spec: ModelDeploymentSpec) -> dict[str, object]:
    job_settings = {"resources", "scheduling", "imagePullSecrets", "activeDeadlineSeconds"}
    return {
        "model": spec.model.model_dump(exclude_defaults=True),
        "packaging": spec.packaging.model_dump(exclude=job_settings, exclude_defaults=True)
        if spec.packaging
        else {},
        "compression": spec.compression.model_dump(exclude_defaults=True)
        if spec.compression
        else {},
    }


def wanted_revision(
    spec: ModelDeploymentSpec,
    digest: str,
    known: tuple[Revision | None, ...],
    default_image: str,
    now: str,
    lineage: Lineage | None = None,
) -> Revision:
    """Return the revision for a spec; a known one if it is the same.

    If the spec names no image, a known revision keeps its image. So an upgrade of the operator
    restarts no model: its new default image is used from the next change of the spec on.
    """
    images = [spec.serving.image] if spec.serving.image else []
    if not images:
        for revision in known:
            if revision and revision_name(spec, digest, revision.image) == revision.name:
                return revision
        images = [default_image]
    name = revision_name(spec, digest, images[0])
    for revision in known:
        if revision and revision.name == name:
            return revision
    return Revision(
        name=name,
        uri=spec.model.uri,
        digest=digest,
        image=images[0],
        since=now,
        lineage=lineage,
    )


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:10]
