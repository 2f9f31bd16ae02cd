"""Reach a Service of the cluster from this machine.

If the cluster's node runs on this machine, ClusterIPs are routed, and the Service is called by its
own address, with the cluster's load balancing. Otherwise (kind, a remote cluster) kubectl is used:
``kubectl proxy`` goes through the API server, which chooses a pod for every request;
``kubectl port-forward`` is a tunnel to one pod. S3 uses the tunnel, because its requests are signed
with their path, and the API server's proxy changes paths.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .errors import DemoError
from .kubectl import Kubectl

CONNECT_SECONDS = 1.0


@dataclass(frozen=True)
class Endpoint:
    """Target of HTTP requests."""

    host: str
    port: int
    prefix: str = ""
    """Prefix of every path."""
    way: str = "its ClusterIP"
    """Route to the Service, for people."""

    @property
    def url(self) -> str:
        port = "" if self.port == 80 else f":{self.port}"
        return f"http://{self.host}{port}{self.prefix}"


@contextmanager
def open_service(
    kubectl: Kubectl, namespace: str, name: str, direct: bool = True
) -> Iterator[Endpoint]:
    """Open a Service whose pods share the load; ``direct=False`` skips the ClusterIP."""
    address, port = _address(kubectl, namespace, name)
    if direct and _answers(address, port):
        yield Endpoint(address, port)
        return
    pattern = r"Starting to serve on ([\d.]+):(\d+)"
    prefix = f"/api/v1/namespaces/{namespace}/services/{name}:{port}/proxy"
    with _helper(kubectl, pattern, "proxy", "--port=0") as (host, local):
        yield Endpoint(host, local, prefix, way="the API server's proxy")


@contextmanager
def open_tunnel(
    kubectl: Kubectl, namespace: str, name: str, direct: bool = True
) -> Iterator[Endpoint]:
    """Open a Service whose requests must arrive unchanged, perhaps through one pod."""
    address, port = _address(kubectl, namespace, name)
    if direct and _answers(address, port):
        yield Endpoint(address, port)
        return
    words = ("port-forward", "-n", namespace, f"service/{name}", f":{port}")
    with _helper(kubectl, r"Forwarding from ([\d.]+):(\d+)", *words) as (host, local):
        yield Endpoint(host, local, way="kubectl port-forward")


def _address(kubectl: Kubectl, namespace: str, name: str) -> tuple[str, int]:
    spec = kubectl.get("service", name, "-n", namespace)["spec"]
    return spec["clusterIP"], spec["ports"][0]["port"]


def _answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


@contextmanager
def _helper(kubectl: Kubectl, pattern: str, *words: str) -> Iterator[tuple[str, int]]:
    """Run kubectl in the background, and yield the address that it listens on."""
    process = kubectl.start(*words)
    assert process.stdout is not None
    try:
        output = ""
        for line in process.stdout:
            output += line
            if found := re.search(pattern, line):
                yield found[1], int(found[2])
                return
        raise DemoError(f"`kubectl {' '.join(words)}` ended: {output.strip()}")
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
