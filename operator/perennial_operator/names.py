"""Names and labels of children."""

import hashlib
import re

from perennial_contracts.api.common import GROUP

LIMIT = 63
"""Longest DNS label (RFC 1035), and longest label value."""

MODEL_LABEL = f"{GROUP}/model"
"""On every child and pod: the label form of the ModelDeployment's name. Watches select by it."""
OWNER_ANNOTATION = f"{GROUP}/owner"
"""On every pod: the full name of its ModelDeployment, which may be too long for a label value."""
RUN_ANNOTATION = f"{GROUP}/retrain-job"
"""On every pod of a run: the full name of its RetrainJob."""
RUN_LABEL = f"{GROUP}/run"
"""On every pod of a run: the label form of its RetrainJob's name."""
STEP_LABEL = f"{GROUP}/step"
"""On the pods of a run that has one pod for each step: the name of the step."""
REVISION_LABEL = f"{GROUP}/revision"
RESOLVER_LABEL = f"{GROUP}/resolver"
PREPARE_LABEL = f"{GROUP}/prepare"

_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def child_name(owner: str, suffix: str = "", limit: int = LIMIT) -> str:
    """Return ``owner`` or ``owner-suffix`` as a DNS label of limited length.

    The name of a resource may be too long, contain dots or begin with a digit; that of a Service
    may not. Such a name is cut, and gets a hash of the full name.

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
    """Return the labels of every child of a ModelDeployment."""
    return {
        "app.kubernetes.io/name": "perennial-model",
        "app.kubernetes.io/instance": child_name(owner),
        "app.kubernetes.io/managed-by": "perennial",
        MODEL_LABEL: child_name(owner),
    }


def revision_selector(owner: str, revision: str) -> dict[str, str]:
    """Return the labels that select the pods of one revision."""
    return {MODEL_LABEL: child_name(owner), REVISION_LABEL: revision}
