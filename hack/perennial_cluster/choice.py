"""Which kind of cluster is used."""

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
    """An existing cluster if the person named one, else kind where Docker runs, else our own.

    KUBECONFIG does not count as named: it is often set to a cluster that others use.
    """
    if named := os.environ.get("PERENNIAL_KUBECONFIG"):
        return ExistingCluster(Path(named))
    if shutil.which("kind") and docker_answers():
        return KindCluster()
    return LocalCluster()
