"""Build the Job that prepares a bundle: one pod fetches, converts and publishes.

The artifact may come from anybody. The step that reads it has no credentials, and the last step
runs nothing that it has written: each container has its own /tmp, which is also its home.
"""

from perennial_contracts.api.packaging import ModelFormat, Packaging
from perennial_contracts.wire.prepare_plan import CONVERT, FETCH, PREPARE, PUBLISH, Preparation
from perennial_contracts.wire.run_plan import INPUT_FOLDER, OUTPUT_FOLDER

from ..names import OWNER_ANNOTATION, PREPARE_LABEL, child_name
from ..objects import JOB, Object
from ..revision import attempt_name
from ..world import World
from .metadata import child
from .pod_parts import TMP, locate, pull_secrets, without_devices
from .step_job import step_container, step_job_spec

_MODEL = "/var/lib/perennial/model"
_MOUNTS: dict[str, tuple[tuple[str, str, bool], ...]] = {
    FETCH: (("input", INPUT_FOLDER, False),),
    CONVERT: (("input", INPUT_FOLDER, True), ("output", OUTPUT_FOLDER, False)),
    PUBLISH: (("output", OUTPUT_FOLDER, True),),
}
"""By step: the volume, its mount path and if it is read-only."""


def build(world: World, image: str, format_: ModelFormat) -> Object:
    """Return the Job. Its steps run one after the other until one fails.

    Args:
        world: a ModelDeployment whose spec has packaging.
        image: the trainer image that converts the format.
        format_: the format of the artifact, or Auto.
    """
    packaging = world.spec.packaging
    if packaging is None:
        raise ValueError("spec.packaging: expected a value to prepare a bundle, got none")
    attempt = attempt_name(world.spec)
    location, claim = locate(world.spec.model.uri, _MODEL)
    plan = Preparation(
        name=f"{world.namespace}/{world.name}",
        uri=location,
        digest=world.spec.model.digest,
        format=format_,
        trusted=packaging.trusted,
        sample=packaging.sample,
        compression=world.spec.compression,
        output=packaging.output.uri,
    )
    steps = {step: _step(world, packaging, step, plan, image) for step in _MOUNTS}
    if claim:
        mount = {"name": "model", "mountPath": _MODEL, "readOnly": True}
        steps[FETCH]["volumeMounts"].append(mount)
    job = child(JOB, world, child_name(world.name, f"prepare-{attempt}"), {PREPARE_LABEL: attempt})
    job["spec"] = step_job_spec(
        model=world.name,
        steps=[steps[FETCH], steps[CONVERT], steps[PUBLISH]],
        volumes=[
            *({"name": name, "emptyDir": {}} for name in ("input", "output")),
            *({"name": f"tmp-{step}", "emptyDir": {}} for step in _MOUNTS),
            *([{"name": "model", **claim}] if claim else []),
        ],
        labels={PREPARE_LABEL: attempt},
        annotations={OWNER_ANNOTATION: world.name},
        scheduling=packaging.scheduling,
        pull_secrets=pull_secrets(
            world.spec.model.uri, packaging.imagePullSecrets, world.spec.serving.imagePullSecrets
        ),
        deadline_seconds=packaging.activeDeadlineSeconds,
    )
    return job


def _step(world: World, packaging: Packaging, step: str, plan: Preparation, image: str) -> Object:
    resources = without_devices(packaging.resources.model_dump(exclude_none=True))
    container = step_container(step, image, plan, resources)
    container["args"] = [PREPARE, "--step", step]
    container["volumeMounts"] = [
        *(
            {"name": name, "mountPath": path, **({"readOnly": True} if read_only else {})}
            for name, path, read_only in _MOUNTS[step]
        ),
        {"name": f"tmp-{step}", "mountPath": TMP},
    ]
    model, own = world.spec.model.secretRef, packaging.secretRef
    # If both Secrets have a variable, the last one counts; for fetching that is the model's.
    order = {FETCH: (own, model), PUBLISH: (own or model,), CONVERT: ()}[step]
    secrets = list(dict.fromkeys(secret.name for secret in order if secret))
    if secrets:
        container["envFrom"] = [{"secretRef": {"name": name}} for name in secrets]
    return container
