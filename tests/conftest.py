"""Settings of all tests: profiles of properties, and the processes of a run."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from support.durations import Durations
from support.processes import FOLDER
from support.properties import SHORT
from support.scheduling import Lanes
from xdist.remote import Producer
from xdist.workermanage import WorkerController

from perennial_trainer import progress_server
from perennial_trainer.threads import configure_openmp

configure_openmp()

# The time of one example means nothing on a busy machine.
_QUIET = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("short", max_examples=SHORT, **_QUIET)
hypothesis.settings.register_profile("long", max_examples=10 * SHORT, **_QUIET)
hypothesis.settings.load_profile("short")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FOLDER] = Path(
        config.workerinput["folder"]
        if hasattr(config, "workerinput")
        else tempfile.mkdtemp(prefix="perennial-tests-")
    )
    config.pluginmanager.register(Durations())


def pytest_configure_node(node: WorkerController) -> None:
    node.workerinput["folder"] = str(node.config.stash[FOLDER])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Lanes:
    return Lanes(config, log)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove the cluster where nobody will use it again."""
    config = session.config
    if hasattr(config, "workerinput"):
        return
    if os.environ.get("CI") and (config.stash[FOLDER] / "cluster").exists():
        from support.cluster import NAME

        down = ["-m", "perennial_cluster", "down", "--name", NAME]
        subprocess.run([sys.executable, *down], check=True)
    shutil.rmtree(config.stash[FOLDER])


@pytest.fixture(scope="session", autouse=True)
def _any_progress_port() -> Iterator[None]:
    """Serve the progress of a training on any port; the real one is free once only."""
    serve = progress_server.serve
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress_server, "serve", lambda port=0: serve(port))
        yield


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes by number: protobuf orders a map differently in each process."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None
