"""Build the Job that finds the digest of an unpinned model, and loads it once.

It runs like the serving pods, with their image and credentials, so they can read the model, too.
The operator itself needs no access to any store or Secret.
"""

from ..names import RESOLVER_LABEL, child_name
from ..objects import JOB, Object
from ..revision import ModelArtifact, source_name
from ..world import World
from .metadata import child
from .pod import pod_template
from .pod_parts import FAIL_AT_ONCE, without_devices


def build(world: World, image: str) -> Object:
    """Return a Job of one pod, whose termination message is an Outcome."""
    source = source_name(world.spec.model)
    job = child(JOB, world, child_name(world.name, f"resolve-{source}"), {RESOLVER_LABEL: source})
    template = pod_template(
        world,
        image=image,
        verb="resolve",
        artifact=ModelArtifact(world.spec.model.uri, world.spec.model.secretRef),
        # The Job retries anyway, and until then the condition can report the failure.
        flags=["--retry-seconds", "10"],
        labels={RESOLVER_LABEL: source},
    )
    template["spec"]["restartPolicy"] = "Never"
    # To find a digest needs no GPU, and must not wait for one.
    container = template["spec"]["containers"][0]
    container["resources"] = without_devices(container["resources"])
    job["spec"] = {
        "backoffLimit": 2,
        "activeDeadlineSeconds": 3600,
        "ttlSecondsAfterFinished": 600,
        "podFailurePolicy": FAIL_AT_ONCE,
        "template": template,
    }
    return job
