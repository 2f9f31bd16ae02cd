"""Names and addresses of a local cluster, derived from its index.

Clusters with different indices share nothing, so they run side by side, and the remains of a dead
one can be found by its index alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from perennial_build.errors import ReportedError

INDICES = range(16)
NODES = range(16)
RUN_ROOT = Path("/run/perennial")
"""Folder of sockets: paths in the state folder can exceed their 108 bytes."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_FIRST_NODE_HOST = 10


@dataclass(frozen=True)
class NodeAddress:
    """Names and addresses of a node."""

    cluster: Cluster
    number: int

    @property
    def name(self) -> str:
        return f"{self.cluster.name}-{self.number}"

    @property
    def ip(self) -> IPv4Address:
        return self.cluster.node_network[_FIRST_NODE_HOST + self.number]

    @property
    def pod_network(self) -> IPv4Network:
        return IPv4Network((self.cluster.pod_network[self.number << 8], 24))

    @property
    def link(self) -> str:
        """Name of the node's network interface on the host."""
        return f"{self.cluster.bridge}n{self.number}"

    @property
    def cgroup(self) -> str:
        return f"perennial{self.cluster.index}n{self.number}"

    @property
    def run_folder(self) -> Path:
        return self.cluster.run_folder / str(self.number)

    @property
    def containerd_socket(self) -> Path:
        return self.run_folder / "containerd.sock"


@dataclass(frozen=True)
class Cluster:
    """Names and addresses of a cluster."""

    name: str
    index: int

    @property
    def bridge(self) -> str:
        return f"perennial{self.index}"

    @property
    def node_network(self) -> IPv4Network:
        return IPv4Network(f"10.231.{self.index}.0/24")

    @property
    def pod_network(self) -> IPv4Network:
        return IPv4Network(f"10.{160 + self.index}.0.0/16")

    @property
    def service_network(self) -> IPv4Network:
        return IPv4Network(f"10.{176 + self.index}.0.0/16")

    @property
    def networks(self) -> tuple[IPv4Network, IPv4Network, IPv4Network]:
        return self.node_network, self.pod_network, self.service_network

    @property
    def host_ip(self) -> IPv4Address:
        return self.node_network[1]

    @property
    def api_service_ip(self) -> IPv4Address:
        """Address of the API server's Service, always the first of the range."""
        return self.service_network[1]

    @property
    def dns_ip(self) -> IPv4Address:
        return self.service_network[10]

    @property
    def api_url(self) -> str:
        return f"https://{self.node(0).ip}:6443"

    @property
    def run_folder(self) -> Path:
        return RUN_ROOT / str(self.index)

    def node(self, number: int) -> NodeAddress:
        """Return the addresses of a node; node 0 has the control plane."""
        if number not in NODES:
            raise ReportedError(f"node {number}: expected a number from 0 to {NODES[-1]}")
        return NodeAddress(self, number)


def check_name(name: str) -> str:
    """Return the name of a cluster if it fits into host names and folders."""
    if not _NAME.fullmatch(name):
        raise ReportedError(
            f"Cluster name {name!r}: expected at most 40 lower-case letters, digits and dashes,"
            " with a letter or digit at both ends, such as perennial-test"
        )
    return name


def lowest_free_index(taken: set[int], routed: list[IPv4Network]) -> int:
    """Return the lowest index that is unused and whose networks are not routed yet."""
    for index in INDICES:
        networks = Cluster("any", index).networks
        if index not in taken and not any(n.overlaps(r) for n in networks for r in routed):
            return index
    raise ReportedError(
        f"No room for another local cluster: other clusters, or routes of this machine, use all"
        f" {len(INDICES)} address ranges. Fix: run `perennial-cluster status`, then"
        " `perennial-cluster down --name NAME` for a cluster that is not needed"
    )
