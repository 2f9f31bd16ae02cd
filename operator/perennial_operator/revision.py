"""What makes a revision: the model's bytes, how they are served, and the runtime image."""

import hashlib
import json

from perennial_contracts.api.common import LocalReference
from perennial_contracts.api.modeldeployment import ModelDeploymentSpec, ModelSource
from perennial_contracts.api.modeldeployment_status import Revision
from perennial_contracts.api.retrainjob_status import Lineage


def revision_name(spec: ModelDeploymentSpec, digest: str, image: str) -> str:
    """Hash of a revision, 10 hexadecimal digits.

    Fields at their defaults are left out, so that a field which a later version adds does not
    change the hash of a spec which does not use it.
    """
    return _hash(
        {
            "model": spec.model.model_dump(exclude={"digest"}, exclude_defaults=True),
            "digest": digest,
            "serving": spec.serving.model_dump(exclude={"image"}, exclude_defaults=True),
            "image": image,
            **_captured(spec),
        }
    )


def _captured(spec: ModelDeploymentSpec) -> dict[str, object]:
    """What of the monitoring the pods themselves are told; another one takes other pods."""
    capture = spec.monitoring.capture if spec.monitoring else None
    return {"capture": capture.model_dump(exclude_defaults=True)} if capture else {}


def promotion_source(model: ModelSource) -> str:
    """Hash of a whole spec.model: what a promoted model stands for until it changes."""
    return _hash(model.model_dump(exclude_defaults=True))


def source_name(model: ModelSource) -> str:
    """Hash of what says where an unpinned model lies; another place is looked up anew."""
    return _hash(model.model_dump(exclude={"digest"}, exclude_defaults=True))


def prepared_name(spec: ModelDeploymentSpec) -> str:
    """Hash of what a bundle is made from; where it changes another one is made."""
    return _hash(_made_from(spec))


def attempt_name(spec: ModelDeploymentSpec) -> str:
    """Hash of what a bundle is made from and how its Job runs; one that failed for want of memory
    is made anew when it is given more."""
    packaging = spec.packaging
    how = packaging.model_dump(exclude_defaults=True) if packaging else {}
    return _hash({**_made_from(spec), "packaging": how})


def serving_secret(spec: ModelDeploymentSpec, uri: str) -> LocalReference | None:
    """The Secret with which a model is read: a bundle that was made lies where spec.packaging
    says, all else where spec.model does."""
    packaging = spec.packaging
    if not packaging or not packaging.secretRef or uri == spec.model.uri:
        return spec.model.secretRef
    made = uri.startswith(f"{packaging.output.uri.rstrip('/')}/")
    return packaging.secretRef if made else spec.model.secretRef


def _made_from(spec: ModelDeploymentSpec) -> dict[str, object]:
    running = {"resources", "scheduling", "imagePullSecrets", "activeDeadlineSeconds"}
    return {
        "model": spec.model.model_dump(exclude_defaults=True),
        "packaging": spec.packaging.model_dump(exclude=running, exclude_defaults=True)
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
    """The revision that the spec asks for.

    Where the spec names no image, a revision that exists already keeps the image that it has: a
    new default image comes in with the next change of the spec, not with an operator's upgrade.
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
