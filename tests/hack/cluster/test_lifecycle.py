"""A real local cluster is killed, restarted, extended, and removed completely."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.processes import FOLDER, making

from perennial_build.cache import TREE, cache_root
from perennial_build.debian import install_packages
from perennial_build.progress import capture
from perennial_cluster import choice, parts, processes, records
from perennial_cluster.addressing import Cluster
from perennial_cluster.kubectl import Kubectl
from perennial_cluster.local import LocalCluster
from perennial_images import program

NAME = "perennial-lifecycle"

pytestmark = [
    pytest.mark.cluster_lifecycle,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(
        not isinstance(choice.choose(), LocalCluster) or os.geteuid() != 0,
        reason="needs root, and neither kind nor PERENNIAL_KUBECONFIG chosen",
    ),
]


def command(*words: str) -> str:
    """Run the command line as a user does. Its output pipe must not stay open."""
    result = subprocess.run(
        [sys.executable, "-m", "perennial_cluster", *words, "--name", NAME],
        env={**os.environ, "PYTHONPATH": str(TREE / "hack")},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        timeout=1500,
    )
    return result.stdout.strip()


def machine() -> dict[str, set[str]]:
    """Return everything that a cluster could leave on this machine, by kind."""
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return {
        # Builds of other processes mount in the cache.
        "mounts": {line for line in mounts if str(cache_root()) not in line},
        "links": {path.name for path in Path("/sys/class/net").iterdir()},
        "routes": routes(),
        "rules": set(capture(["nft", "list", "ruleset"]).splitlines()),
        "netns": {path.name for path in Path("/run/netns").glob("*")},
        "cgroups": {str(path) for path in processes.CGROUPS.glob("*/perennial*")},
        "folders": {
            str(path)
            for parent in ("/run", "/var/lib", "/var/log", "/opt", "/etc", "/usr/libexec")
            for path in Path(parent).iterdir()
        },
        "processes": set(running_programs()),
    }


def routes() -> set[str]:
    """Return all routes without their state, which pods of other clusters change."""
    shown = capture(["ip", "route", "show", "table", "all"]).splitlines()
    return {line.replace(" linkdown", "").rstrip() for line in shown}


def running_programs() -> Iterator[str]:
    """Yield the processes of a node's programs, but for those of other clusters."""
    folders = tuple(f"{part.name}-" for part in parts.PARTS)
    others = [records.state_folder(name) for name in records.names() if name != NAME]
    for entry in Path("/proc").glob("[0-9]*/exe"):
        pid = int(entry.parent.name)
        try:
            program = entry.readlink()
        except OSError:
            continue
        ours = program.is_relative_to(cache_root()) and program.parent.name.startswith(folders)
        if ours and not any(processes.is_marked(pid, state) for state in others):
            yield f"{program} {pid}"


def resolve_in_pod(kubectl: Kubectl, node: str, image: str) -> str:
    """Resolve the API server's name in a pod on a node, and return its log."""
    lookup = "import socket; print(socket.gethostbyname('kubernetes.default.svc.cluster.local'))"
    container = {
        "name": "lookup",
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["python3", "-c", lookup],
        "securityContext": {"readOnlyRootFilesystem": True, "runAsNonRoot": True},
    }
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"lookup-{node}", "namespace": "default"},
        "spec": {"nodeName": node, "restartPolicy": "Never", "containers": [container]},
    }

    def account_exists() -> bool:
        return "default" in kubectl("get", "serviceaccounts", "-o", "name")

    processes.wait_until(account_exists, "the default service account", 30.0)
    kubectl.apply([pod])

    def ended() -> bool:
        words = ("get", "pod", f"lookup-{node}", "-o", "jsonpath={.status.phase}")
        return kubectl(*words) in ("Succeeded", "Failed")

    processes.wait_until(ended, f"the pod on {node} to end", 60.0)
    return kubectl("logs", f"lookup-{node}").strip()


@pytest.fixture
def clean_machine(request: pytest.FixtureRequest) -> Iterator[dict[str, set[str]]]:
    """The machine's state before the test, which nothing else than the test changes.

    Debian packages and the image, which stay, are there by then. The cluster of other tests is made
    before or afterwards.
    """
    install_packages((*parts.PACKAGES, *program.BUILDERS))
    program.build("runtime")
    with making(request.config.stash[FOLDER], "cluster"):
        LocalCluster().down(NAME)
        yield machine()
        LocalCluster().down(NAME)


def test_a_cluster_survives_a_hard_kill_grows_and_leaves_nothing(
    clean_machine: dict[str, set[str]],
) -> None:
    command("up")
    record = records.read(NAME)
    assert record
    state = records.state_folder(NAME)
    cluster = Cluster(NAME, record.index)

    everything = processes.marked(state) | processes.in_cgroups([cluster.node(0).cgroup])
    assert len(everything) > 8
    for pid in everything:
        os.kill(pid, signal.SIGKILL)

    command("up", "--nodes", "2")
    kubectl = Kubectl(Path(command("kubeconfig")))
    names = [cluster.node(number).name for number in (0, 1)]
    assert kubectl.node_readiness() == dict.fromkeys(names, True)

    image = program.build("runtime")
    command("load", image.reference)
    for name in names:
        assert resolve_in_pod(kubectl, name, image.reference) == str(cluster.api_service_ip)
    # An address without a pod is refused at once.
    with pytest.raises(OSError, match="No route to host"):
        socket.create_connection((str(cluster.node(0).pod_network[250]), 80), timeout=30)

    command("node", "stop", "1")
    assert not processes.marked(state / "node-1")
    command("node", "start", "1")
    command("up")
    assert kubectl.node_readiness() == dict.fromkeys(names, True)

    command("down")
    assert not processes.marked(state)
    assert not state.exists()
    after = machine()
    left = {kind: after[kind] - before for kind, before in clean_machine.items()}
    assert not {kind: items for kind, items in left.items() if items}
