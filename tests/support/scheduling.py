"""Distribution of the tests to processes: some wait for the cluster."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

E2E = "tests/e2e/"
CLUSTER = (E2E, "tests/hack/cluster/test_lifecycle.py")
TOGETHER = ("tests/e2e/test_trainjob.py",)
"""Files of cluster tests that depend on the order of their tests."""
LONGEST = (
    "tests/e2e/test_demo.py",
    "tests/e2e/test_trainjob.py",
    "tests/hack/cluster/test_lifecycle.py",
    "tests/e2e/test_loop.py",
)
"""Starting with the longest keeps all processes busy until the end."""


class Lanes(LoadScopeScheduling):
    """Two lanes of processes; a lane without tests takes over those of the other.

    Cluster tests mostly wait, so half of the processes start with those, one test at a time. The
    rest of the tests compute, and are shared out file by file: that keeps the servers and models
    that the tests of a file share.
    """

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        self._lanes: dict[WorkerController, bool] = {}

    def add_node(self, node: WorkerController) -> None:
        super().add_node(node)
        self._lanes[node] = len(self._lanes) % 2 == 0

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return nodeid if file.startswith(E2E) and file not in TOGETHER else file

    def _assign_work_unit(self, node: WorkerController) -> None:
        own = [each for each in self.workqueue if each.startswith(CLUSTER) == self._lanes[node]]
        scope = min(own or self.workqueue, key=_place)
        self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)


def _place(scope: str) -> int:
    file = scope.split("::")[0]
    return LONGEST.index(file) if file in LONGEST else len(LONGEST)
