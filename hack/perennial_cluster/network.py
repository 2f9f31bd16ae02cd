"""The network between the host and the nodes.

The nodes of a cluster are connected to one bridge. Each has a network namespace, which contains
the packet-filter rules of kube-proxy and the CNI plugins. Nodes and the host have a route to each
node's pods. The host also has a route to Service addresses, through node 0.
"""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from pathlib import Path

from perennial_build.progress import capture
from perennial_cluster.addressing import Cluster, NodeAddress


def link_exists(name: str) -> bool:
    return (Path("/sys/class/net") / name).exists()


def host_networks() -> list[IPv4Network]:
    """Return the networks that the host has routes to, without the default route."""
    routes = json.loads(capture(["ip", "-json", "-4", "route", "show"]) or "[]")
    return [IPv4Network(r["dst"], strict=False) for r in routes if r["dst"] != "default"]


def bridge_commands(cluster: Cluster) -> list[str]:
    """Return the lines for `ip -batch` that create the cluster's bridge."""
    return [
        f"link add {cluster.bridge} type bridge",
        f"address add {cluster.host_ip}/{cluster.node_network.prefixlen} dev {cluster.bridge}",
        f"link set {cluster.bridge} up",
        f"route add {cluster.service_network} via {cluster.node(0).ip} onlink dev {cluster.bridge}",
    ]


def cable_commands(node: NodeAddress, holder: int) -> list[str]:
    """Return the lines for `ip -batch` on the host that connect a node to the bridge."""
    bridge = node.cluster.bridge
    return [
        f"link add {node.link} type veth peer name eth0 netns {holder}",
        f"link set {node.link} master {bridge} up",
        f"route replace {node.pod_network} via {node.ip} onlink dev {bridge}",
    ]


def inside_commands(node: NodeAddress, others: list[NodeAddress]) -> list[str]:
    """Return the lines for `ip -batch` inside the node."""
    return [
        "link set lo up",
        f"address add {node.ip}/{node.cluster.node_network.prefixlen} dev eth0",
        "link set eth0 up",
        f"route add default via {node.cluster.host_ip}",
        # For addresses without a pod. Over the default route, a connection to a pod that has just
        # ended would stay open without an answer, and be sent there again for two minutes.
        f"route add unreachable {node.pod_network}",
        *route_commands(others),
    ]


def route_commands(nodes: list[NodeAddress]) -> list[str]:
    """Return the lines for `ip -batch` inside a node for routes to other nodes' pods."""
    return [f"route replace {node.pod_network} via {node.ip} onlink dev eth0" for node in nodes]


def run_batch(lines: list[str], *, inside: list[str] | None = None) -> None:
    """Run lines of `ip -batch` up to the first that fails."""
    capture([*(inside or []), "ip", "-batch", "-"], stdin="\n".join(lines) + "\n")


def remove_link(name: str) -> None:
    """Remove a link with its routes and its other end."""
    if link_exists(name):
        capture(["ip", "link", "delete", name])
