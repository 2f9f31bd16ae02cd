"""Settings of all tests."""

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from perennial_trainer.threads import configure_openmp

configure_openmp()

# How long an example of a property takes says nothing on a busy machine.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")

CLUSTER_TESTS = ("tests/e2e/", "tests/hack/cluster/test_lifecycle.py")
"""The first share one cluster, and the other looks at what a cluster leaves on the machine: one
process runs them all. The others go file by file."""


class _Scheduler(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return "cluster" if nodeid.startswith(CLUSTER_TESTS) else nodeid.split("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Return the scheduler of the tests for several processes (``-n``)."""
    return _Scheduler(config, log)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes by number: protobuf orders a map differently in each process."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None
