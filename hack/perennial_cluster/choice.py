"""The choice of the kind of cluster."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from perennial_cluster.backend import Backend
from perennial_cluster.existing import ExistingCluster
from perennial_cluster.kind import KindCluster
from perennial_cluster.local import LocalCluster
from perennial_images.docker import docker_answers


def choose() -> Backend:
    """Return the cluster of PERENNIAL_KUBECONFIG, else kind, else a local node.

    kind needs Docker. KUBECONFIG is ignored, because it often names a cluster that others use.
    """
    if named := os.environ.get("PERENNIAL_KUBECONFIG"):
        return ExistingCluster(Path(named))
    if shutil.which("kind") and docker_answers():
        return KindCluster()
    return LocalCluster()
