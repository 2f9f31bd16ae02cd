"""A cluster without Docker: Kubernetes' components, built from source."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from perennial_build.cache import locked
from perennial_build.debian import install_packages
from perennial_build.errors import ReportedError
from perennial_build.progress import Step, capture, report
from perennial_cluster import (
    commands,
    config,
    network,
    parts,
    processes,
    records,
    sandbox,
)
from perennial_cluster.addressing import INDICES, RUN_ROOT, Cluster
from perennial_cluster.backend import Summary
from perennial_cluster.kubectl import Kubectl, show_nodes
from perennial_cluster.node import WORKERS, Node
from perennial_cluster.parts import Programs
from perennial_cluster.pki import Authority, Subject
from perennial_cluster.records import Record
from perennial_images import scratch

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
START_SECONDS = 90.0


class LocalCluster:
    """The back-end that needs only Linux, root and Go."""

    def up(self, name: str, nodes: int | None) -> None:
        if sys.platform != "linux" or os.geteuid() != 0:
            raise ReportedError(
                "A local node needs Linux and root, for its network namespaces and mounts. Fix:"
                " run this with sudo, or start Docker and install kind, or set"
                " PERENNIAL_KUBECONFIG=/path/to/kubeconfig"
            )
        records.state_folder(name)
        install_packages(parts.PACKAGES)
        programs = parts.build_programs()
        with locked(records.lock_file()):
            record = records.read(name)
            if record is None or not _healthy(name, record, programs):
                record = _start_afresh(name, record, programs)
            else:
                report(f"cluster {name} is up already")
            wanted = range(nodes or len(record.nodes))
            for number in wanted:
                if number not in record.nodes or number in record.stopped:
                    _add_node(name, record, number, programs)
            for number in sorted(set(record.nodes) - set(wanted), reverse=True):
                _remove_node(name, record, number, programs)
        self._wait_ready(name)

    def down(self, name: str) -> None:
        state = records.state_folder(name)
        with locked(records.lock_file()):
            record = records.read(name)
            if record is None:
                report(f"there is no cluster {name}")
                return
            step = Step(f"removing cluster {name}")
            _sweep(Cluster(name, record.index), state)
            shutil.rmtree(state)
            if not records.names():
                _remove_roots()
            step.done()

    def load(self, name: str, archive: Path) -> None:
        record = _known(name)
        programs = parts.build_programs()
        for node in _nodes(name, record, programs):
            if node.address.number in record.stopped:
                continue
            step = Step(f"loading {archive.name} into {node.address.name}")
            step.done("done" if node.load(archive) else "already loaded")

    def node(self, name: str, action: str, number: int) -> None:
        programs = parts.build_programs()
        with locked(records.lock_file()):
            record = _known(name)
            if number not in record.nodes:
                raise ReportedError(f"Cluster {name} has no node {number}, only {record.nodes}")
            if number == 0:
                raise ReportedError("Node 0 has the control plane: only other nodes can be stopped")
            if action == "start":
                _add_node(name, record, number, programs)
                return
            record.stopped = sorted({*record.stopped, number})
            records.write(name, record)
            _node(name, record, number, programs).kill()

    def kubeconfig(self, name: str) -> Path:
        _known(name)
        return records.state_folder(name) / "kubeconfig"

    def names(self) -> list[str]:
        return records.names()

    def summary(self, name: str) -> Summary:
        cluster = Cluster(name, _known(name).index)
        path = self.kubeconfig(name)
        return Summary(
            name=name,
            backend="local node",
            nodes=show_nodes(Kubectl(path).node_readiness()),
            api=cluster.api_url,
            kubeconfig=path,
            state=str(records.state_folder(name)),
            remove=f"perennial-cluster down --name {name}",
        )

    def _wait_ready(self, name: str) -> None:
        record = _known(name)
        kubectl = Kubectl(self.kubeconfig(name))
        cluster = Cluster(name, record.index)
        expected = {cluster.node(number).name for number in record.nodes}
        step = Step(f"waiting for {len(expected)} node(s) and DNS")

        def nodes_ready() -> bool:
            step.tick()
            readiness = kubectl.node_readiness()
            return all(readiness.get(member) for member in expected)

        def dns_ready() -> bool:
            step.tick()
            path = "{.status.readyReplicas}"
            words = ["get", "deployment", "coredns", "-n", "kube-system", "-o", f"jsonpath={path}"]
            return kubectl(*words) == "1"

        folder = records.state_folder(name)
        processes.wait_until(nodes_ready, f"all nodes (logs: {folder}/node-*/logs)", START_SECONDS)
        processes.wait_until(dns_ready, f"CoreDNS (logs: {folder}/node-*/logs)", START_SECONDS)
        step.done()


def _known(name: str) -> Record:
    record = records.read(name)
    if record is None:
        there = ", ".join(records.names()) or "none"
        raise ReportedError(
            f"No cluster {name} (existing: {there}). Fix: run `perennial-cluster up --name {name}`"
        )
    return record


def _node(name: str, record: Record, number: int, programs: Programs) -> Node:
    address = Cluster(name, record.index).node(number)
    return Node(address, records.state_folder(name), programs)


def _nodes(name: str, record: Record, programs: Programs) -> list[Node]:
    return [_node(name, record, number, programs) for number in record.nodes]


def _healthy(name: str, record: Record, programs: Programs) -> bool:
    """Return whether all components run and the API server is ready."""
    for node in _nodes(name, record, programs):
        if node.address.number in record.stopped:
            continue
        expected = WORKERS + CONTROL_PLANE if node.address.number == 0 else WORKERS
        if missing := node.missing(expected):
            report(f"node {node.address.name}: not running: {', '.join(missing)}")
            return False
    return Kubectl(records.state_folder(name) / "kubeconfig").ready()


def _start_afresh(name: str, found: Record | None, programs: Programs) -> Record:
    """Remove the remains of a dead cluster, and start one with its first node."""
    state = records.state_folder(name)
    if found is not None:
        step = Step(f"removing the remains of cluster {name}")
        _sweep(Cluster(name, found.index), state)
        for child in state.iterdir():
            if child.is_dir():
                shutil.rmtree(child)
        records.write(name, Record(found.index))
        step.done()
    record = Record(found.index) if found else records.allocate(name)
    if made := sandbox.missing_mount_points():
        records.remember_made_folders(made)
    step = Step(f"starting cluster {name}")
    cluster = Cluster(name, record.index)
    authority = Authority(state / "pki")
    authority.create()
    network.run_batch(network.bridge_commands(cluster))
    node = _node(name, record, 0, programs)
    node.open([])
    _start_api_server(node, authority)
    kubectl = Kubectl(
        authority.kubeconfig(
            state / "kubeconfig", cluster.api_url, "admin", Subject("admin", "system:masters")
        )
    )

    def ready() -> bool:
        step.tick()
        return kubectl.ready()

    node.start_containerd(scratch.build("pause"), [dns := scratch.build("coredns")])
    node.wait("kube-apiserver", ready, "the API server to be ready")
    _start_controllers(node, authority)
    node.start_kubelet(authority)
    kubectl.apply([config.proxier_binding(), *config.dns(cluster, dns.reference)])
    step.done()
    return record


def _start_api_server(node: Node, authority: Authority) -> None:
    cluster, programs = node.address.cluster, node.programs
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    names.append("kubernetes.default.svc.cluster.local")
    addresses = ["127.0.0.1", str(cluster.api_service_ip), str(node.address.ip)]
    serving = Subject("kube-apiserver", addresses=[*names, *addresses])
    node.launch("etcd", commands.etcd(programs, node.folder))
    node.launch(
        "kube-apiserver",
        commands.api_server(
            programs,
            cluster,
            authority,
            authority.issue("kube-apiserver", serving),
            authority.issue("kubelet-client", Subject("kube-apiserver", "system:masters")),
            authority.issue("front-proxy", Subject("front-proxy-client")),
        ),
    )


def _start_controllers(node: Node, authority: Authority) -> None:
    """Start the controllers and the scheduler, which exit without an API server."""

    def kubeconfig(component: str) -> Path:
        return authority.kubeconfig(
            node.folder / f"{component}.kubeconfig",
            node.address.cluster.api_url,
            component,
            Subject(f"system:{component}"),
        )

    path = kubeconfig("kube-controller-manager")
    command = commands.controller_manager(node.programs, authority, node.folder, path)
    node.launch("kube-controller-manager", command)
    path = kubeconfig("kube-scheduler")
    node.launch("kube-scheduler", commands.scheduler(node.programs, path))


def _add_node(name: str, record: Record, number: int, programs: Programs) -> None:
    """Start another node, and add routes to its pods on the running ones."""
    node = _node(name, record, number, programs)
    step = Step(f"starting node {node.address.name}")
    node.kill()
    others = [other for other in _nodes(name, record, programs) if other.address != node.address]
    node.open([other.address for other in others])
    for other in others:
        if other.address.number not in record.stopped:
            routes = network.route_commands([node.address])
            network.run_batch(routes, inside=other.enter())
    node.start_containerd(scratch.build("pause"), [scratch.build("coredns")])
    node.start_kubelet(Authority(node.state / "pki"))
    record.nodes = sorted({*record.nodes, number})
    record.stopped = [other for other in record.stopped if other != number]
    records.write(name, record)
    step.done()


def _remove_node(name: str, record: Record, number: int, programs: Programs) -> None:
    node = _node(name, record, number, programs)
    node.kill()
    Kubectl(node.state / "kubeconfig")("delete", "node", node.address.name, "--ignore-not-found")
    shutil.rmtree(node.folder)
    record.nodes = [other for other in record.nodes if other != number]
    record.stopped = [other for other in record.stopped if other != number]
    records.write(name, record)


def _sweep(cluster: Cluster, state: Path) -> None:
    """Remove everything that a cluster has outside its state folder."""
    nodes = [cluster.node(number) for number in INDICES]
    cgroups = [node.cgroup for node in nodes]
    processes.kill_all(lambda: processes.marked(state) | processes.in_cgroups(cgroups))
    processes.remove_cgroups(cgroups)
    for node in nodes:
        network.remove_link(node.link)
    network.remove_link(cluster.bridge)
    shutil.rmtree(cluster.run_folder, ignore_errors=True)
    _unmount_below(state)


def _unmount_below(folder: Path) -> None:
    """Detach all mounts below a folder: deleting it must not delete their files."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    points = [Path(line.split()[1].replace("\\040", " ")) for line in lines]
    for point in sorted((p for p in points if p.is_relative_to(folder)), reverse=True):
        capture(["umount", "--lazy", str(point)])


def _remove_roots() -> None:
    """Remove the folders that clusters share. For use after the last one is removed."""
    sandbox.remove_mount_points(records.made_folders())
    records.made_folders_file().unlink(missing_ok=True)
    for folder in (RUN_ROOT, records.clusters_root(), records.state_root()):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
