"""The Job that looks an unpinned model up: it finds the digest, and tries whether the model loads.

It runs where the pods would run, with their image and credentials, so that what it could read
they can read; the operator itself needs no access to any store or secret.
"""

from ..names import RESOLVER_LABEL, child_name
from ..objects import JOB, Object
from ..revision import source_name
from ..world import World
from .metadata import child
from .pod import pod_template
from .pod_parts import FAIL_AT_ONCE, without_devices


def build(world: World, image: str) -> Object:
    """One pod that ends with an Outcome as its termination message."""
    source = source_name(world.spec.model)
    job = child(JOB, world, child_name(world.name, f"resolve-{source}"), {RESOLVER_LABEL: source})
    template = pod_template(
        world,
        image=image,
        verb="resolve",
        uri=world.spec.model.uri,
        # The Job starts it anew anyway, and meanwhile the condition can say what is wrong.
        flags=["--retry-seconds", "10"],
        labels={RESOLVER_LABEL: source},
    )
    template["spec"]["restartPolicy"] = "Never"
    # Finding a digest needs no GPU, and must not wait for one.
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
