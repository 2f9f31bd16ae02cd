"""Names and labels of children."""

import hashlib
import re

from perennial_contracts.api.common import GROUP

LIMIT = 63
"""Longest DNS label (RFC 1035), and longest label value."""

MODEL_LABEL = f"{GROUP}/model"
"""On every child and pod: the label form of the ModelDeployment's name. Watches select by it."""
OWNER_ANNOTATION = f"{GROUP}/owner"
"""On every pod: the full name of its ModelDeployment, which a label value may be too short for."""
RUN_ANNOTATION = f"{GROUP}/retrain-job"
"""On every pod of a run: the full name of its RetrainJob."""
RUN_LABEL = f"{GROUP}/run"
"""On every pod of a run: the label form of its RetrainJob's name."""
STEP_LABEL = f"{GROUP}/step"
"""On the pods of a run whose steps are several pods: which step it is."""
REVISION_LABEL = f"{GROUP}/revision"
RESOLVER_LABEL = f"{GROUP}/resolver"
PREPARE_LABEL = f"{GROUP}/prepare"

_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def child_name(owner: str, suffix: str = "", limit: int = LIMIT) -> str:
    """``owner`` or ``owner-suffix`` as a DNS label of at most ``limit`` characters.

    A name that is too long, or no DNS label (a resource's name may have dots and begin with a
    digit, a Service's may not), is cut and given a hash of the whole owner's name.

    >>> child_name("delays", "5f2e")
    'delays-5f2e'
    """
    plain = f"{owner}-{suffix}" if suffix else owner
    if len(plain) <= limit and _LABEL.fullmatch(plain):
        return plain
    tail = hashlib.sha256(owner.encode()).hexdigest()[:8] + (f"-{suffix}" if suffix else "")
    head = re.sub(r"[^a-z0-9-]", "-", owner)
    if not head[0].isalpha():
        head = f"m-{head}"
    return f"{head[: limit - len(tail) - 1].rstrip('-')}-{tail}"


def model_labels(owner: str) -> dict[str, str]:
    """Labels of every child of a ModelDeployment."""
    return {
        "app.kubernetes.io/name": "perennial-model",
        "app.kubernetes.io/instance": child_name(owner),
        "app.kubernetes.io/managed-by": "perennial",
        MODEL_LABEL: child_name(owner),
    }


def revision_selector(owner: str, revision: str) -> dict[str, str]:
    """Selects the pods of one revision."""
    return {MODEL_LABEL: child_name(owner), REVISION_LABEL: revision}
