"""The processes of a test run share the work (tests/support/scheduling.py)."""

import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.processes import once, turn
from support.scheduling import Lanes

NODEIDS = [
    "tests/contracts/test_a.py::test_1",
    "tests/contracts/test_a.py::test_2",
    "tests/e2e/test_demo.py::test_year",
    "tests/e2e/test_trainjob.py::test_1",
    "tests/e2e/test_trainjob.py::test_2",
    "tests/e2e/test_updates.py::test_1",
    "tests/e2e/test_updates.py::test_2",
    "tests/hack/cluster/test_lifecycle.py::test_1",
    "tests/trainer/test_b.py::test_1",
]


class Node:
    """Stands for a process of the run."""

    shutting_down = False

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.sent: list[str] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.sent += [NODEIDS[index] for index in indices]

    def shutdown(self) -> None:
        self.shutting_down = True


def scheduled(pytestconfig: pytest.Config, count: int) -> tuple[Lanes, list[Node]]:
    """Return a scheduler with its first tests sent to ``count`` processes."""
    config = SimpleNamespace(
        option=SimpleNamespace(loadscopereorder=False, tx=["popen"] * count, dist="load"),
        getvalue=lambda name: ["popen"] * count if name == "tx" else None,
        hook=pytestconfig.hook,
    )
    lanes = Lanes(config, None)  # type: ignore[arg-type]
    nodes = [Node(f"gw{number}") for number in range(count)]
    for node in nodes:
        lanes.add_node(node)  # type: ignore[arg-type]
    for node in nodes:
        lanes.add_node_collection(node, NODEIDS)  # type: ignore[arg-type]
    lanes.schedule()
    return lanes, nodes


def finish(lanes: Lanes, nodes: list[Node]) -> None:
    """Complete all tests, in turns."""
    done: set[str] = set()
    while len(done) < len(NODEIDS):
        for node in nodes:
            for nodeid in [each for each in node.sent if each not in done][:1]:
                done.add(nodeid)
                lanes.mark_test_complete(node, NODEIDS.index(nodeid))  # type: ignore[arg-type]


def test_half_of_the_processes_begin_with_the_cluster_and_the_longest_of_its_tests(
    pytestconfig: pytest.Config,
) -> None:
    _, (waiting, computing) = scheduled(pytestconfig, 2)
    assert waiting.sent[0] == "tests/e2e/test_demo.py::test_year"
    assert computing.sent[:2] == NODEIDS[:2]


def test_every_test_is_sent_once_and_files_stay_together_but_for_those_of_the_cluster(
    pytestconfig: pytest.Config,
) -> None:
    lanes, nodes = scheduled(pytestconfig, 3)
    finish(lanes, nodes)
    assert sorted(each for node in nodes for each in node.sent) == NODEIDS
    for file in ("tests/contracts/test_a.py", "tests/e2e/test_trainjob.py"):
        owners = {node.gateway.id for node in nodes for each in node.sent if file in each}
        assert len(owners) == 1


def test_one_process_makes_what_all_need(tmp_path: Path) -> None:
    calls, results = [], []

    def make() -> str:
        calls.append(1)
        time.sleep(0.05)
        return "made"

    threads = [
        threading.Thread(target=lambda: results.append(once(tmp_path, "thing", make)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (calls, results) == ([1], ["made"] * 3)


def test_after_a_failure_the_next_process_makes_it(tmp_path: Path) -> None:
    def fail() -> str:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        once(tmp_path, "thing", fail)
    assert once(tmp_path, "thing", lambda: "made") == "made"


def test_a_test_that_is_alone_waits_for_the_others_and_holds_back_the_next(tmp_path: Path) -> None:
    events: list[str] = []
    entered = threading.Event()

    def alone() -> None:
        with turn(tmp_path, alone=True):
            events.append("alone")

    def next_one() -> None:
        with turn(tmp_path, alone=False):
            events.append("next")

    with turn(tmp_path, alone=False), turn(tmp_path, alone=False):
        first = threading.Thread(target=alone)
        first.start()
        entered.wait(0.1)
        second = threading.Thread(target=next_one)
        second.start()
        entered.wait(0.1)
        events.append("others")
    first.join()
    second.join()
    assert events == ["others", "alone", "next"]
