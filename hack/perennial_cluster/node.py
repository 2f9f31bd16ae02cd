"""A node of a local cluster: namespaces, components and images."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from perennial_build.errors import ReportedError, with_log
from perennial_build.progress import capture
from perennial_cluster import commands, config, network, processes, sandbox
from perennial_cluster.addressing import NodeAddress
from perennial_cluster.parts import Programs
from perennial_cluster.pki import Authority, Subject
from perennial_images.archive import read_archive
from perennial_images.scratch import Built

HOLDER = "holder"
WORKERS = (HOLDER, "containerd", "kubelet", "kube-proxy")
IMAGE_NAMESPACE = "k8s.io"


@dataclass(frozen=True)
class Node:
    """A node, and the state folder of its cluster."""

    address: NodeAddress
    state: Path
    programs: Programs

    @property
    def folder(self) -> Path:
        return self.state / f"node-{self.address.number}"

    def log(self, component: str) -> Path:
        return self.folder / "logs" / f"{component}.log"

    def pid(self, component: str) -> int | None:
        """Return the process of a component if it runs."""
        return processes.from_pidfile(self._pidfile(component))

    def enter(self) -> list[str]:
        """Return the prefix that runs a command inside the node."""
        return ["nsenter", "--target", str(self.pid(HOLDER)), "--net", "--mount", "--"]

    def launch(self, component: str, command: Sequence[str]) -> None:
        """Start a component inside the node."""
        prefix = [] if component == HOLDER else self.enter()
        environment: dict[str, str | Path] = {
            "PATH": self.programs.search_path,
            "HOME": "/root",
            "LANG": "C.UTF-8",
            processes.MARK: self.folder,
        }
        pid = processes.start([*prefix, *command], self.log(component), environment)
        if identity := processes.identify(pid):
            processes.write_pidfile(self._pidfile(component), identity)

    def open(self, others: Sequence[NodeAddress]) -> None:
        """Create the node's namespaces and connect them."""
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        # Addresses that were assigned before a stop belong to dead pods.
        shutil.rmtree(self.folder / sandbox.ADDRESSES, ignore_errors=True)
        self.address.run_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.launch(HOLDER, commands.holder(sandbox.binds(self.folder), ready))
        self.wait(HOLDER, ready.exists, "the node's namespaces")
        # A packet can arrive as soon as the address is set, so that the routes come first.
        network.remove_link(self.address.link)
        network.run_batch(network.cable_commands(self.address, self.pid(HOLDER) or 0))
        inside = network.inside_commands(self.address, list(others))
        network.run_batch(inside, inside=self.enter())
        settings = ("ip_forward=1", "conf.all.rp_filter=0", "conf.default.rp_filter=0")
        for setting in settings:
            key, value = setting.split("=")
            path = f"/proc/sys/net/ipv4/{key.replace('.', '/')}"
            capture([*self.enter(), "sh", "-c", f"echo {value} > {path}"])
        processes.make_cgroup(self.address.cgroup)

    def start_containerd(self, pause: Built, images: Sequence[Built]) -> None:
        """Start containerd and load the images that the node itself needs."""
        (self.folder / "cni.d").mkdir(parents=True, exist_ok=True)
        (self.folder / "cni.d" / "perennial.conflist").write_text(config.cni(self.address))
        path = self.folder / "containerd.toml"
        path.write_text(config.containerd(self.address, self.folder, pause.reference))
        self.address.containerd_socket.unlink(missing_ok=True)
        self.launch("containerd", commands.containerd(self.programs, path))
        self.wait("containerd", self._containerd_responds, "containerd to respond")
        for image in (pause, *images):
            self.load(image.archive)

    def start_kubelet(self, authority: Authority) -> None:
        """Start kubelet and kube-proxy."""
        name, ip = self.address.name, str(self.address.ip)
        server = self.address.cluster.api_url
        member = Subject(f"system:node:{name}", "system:nodes", (name, ip))
        pair = authority.issue(f"kubelet-{name}", member)
        kubelet = authority.kubeconfig(
            self.folder / "kubelet.kubeconfig", server, f"kubelet-{name}", member
        )
        proxy = authority.kubeconfig(
            self.folder / "kube-proxy.kubeconfig",
            server,
            "kube-proxy",
            Subject("system:kube-proxy"),
        )
        (self.folder / "kubelet.json").write_text(
            config.kubelet(self.address, self.folder, authority.certificate, pair)
        )
        (self.folder / "kube-proxy.json").write_text(config.kube_proxy(self.address, proxy))
        self.launch("kubelet", commands.kubelet(self.programs, self.address, self.folder, kubelet))
        self.launch("kube-proxy", commands.kube_proxy(self.programs, self.folder))

    def load(self, archive: Path) -> bool:
        """Import an image. Return False if the node has exactly this one already."""
        image = read_archive(archive)
        listed = self._ctr("images", "list").splitlines()[1:]
        rows = (line.split() for line in listed)
        if any(row[0] == image.reference and image.digest in row for row in rows):
            return False
        self._ctr("images", "import", "--local", str(archive))
        return True

    def wait(self, component: str, condition: processes.Condition, what: str) -> None:
        """Wait for a condition, as long as the component that must meet it runs."""

        def met_or_dead() -> bool:
            return condition() or self.pid(component) is None

        processes.wait_until(met_or_dead, f"{what} on node {self.address.name}", 60.0)
        if not condition():
            raise with_log(
                f"{component} ended on node {self.address.name} before {what}",
                self.log(component),
            )

    def missing(self, components: Sequence[str] = WORKERS) -> list[str]:
        """Return the components that do not run."""
        return [component for component in components if self.pid(component) is None]

    def kill(self) -> None:
        """Stop the node like a power cut. Its folder remains."""

        def find() -> set[int]:
            own = processes.marked(self.folder)
            return own | processes.in_cgroups([self.address.cgroup])

        processes.kill_all(find)
        processes.remove_cgroups([self.address.cgroup])
        network.remove_link(self.address.link)
        shutil.rmtree(self.address.run_folder, ignore_errors=True)

    def _containerd_responds(self) -> bool:
        try:
            self._ctr("version")
        except ReportedError:
            return False
        return True

    def _ctr(self, *words: str) -> str:
        address = ["--address", str(self.address.containerd_socket)]
        program = str(self.programs.containerd / "ctr")
        return capture([*self.enter(), program, *address, "--namespace", IMAGE_NAMESPACE, *words])

    def _pidfile(self, component: str) -> Path:
        return self.folder / "pids" / component
