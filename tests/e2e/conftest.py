"""The real cluster, created once, and a namespace for each test."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cluster import NAME, Cluster, Namespace
from support.processes import FOLDER, once, turn

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Cluster with CRDs, operator and an S3 server, kept for the next run."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def tool(module: str, *arguments: str) -> str:
        with capture.global_and_fixture_disabled():
            sys.stderr.write("\n")
            done = subprocess.run(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
        return done.stdout

    def make() -> str:
        tool("perennial_cluster", "up", "--name", NAME)
        tool("perennial_images", "build")
        tool("perennial_cluster.install", "--name", NAME)
        return tool("perennial_cluster", "kubeconfig", "--name", NAME).strip()

    return Cluster(Path(once(request.config.stash[FOLDER], "cluster", make)))


@pytest.fixture(autouse=True)
def _turn(request: pytest.FixtureRequest) -> Iterator[None]:
    """A turn on the cluster, shared unless the test has the mark alone."""
    alone = request.node.get_closest_marker("alone") is not None
    with turn(request.config.stash[FOLDER], alone=alone):
        yield


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace of the test's own, with credentials for the S3 server."""
    with cluster.namespace() as made:
        yield made
