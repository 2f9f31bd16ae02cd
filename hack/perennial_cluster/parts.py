"""Programs of the local node: pinned Go modules and Debian packages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from perennial_build import golang
from perennial_build.cache import TREE
from perennial_build.debian import Package
from perennial_build.golang import GoPart

NODE_SOURCES = TREE / "hack" / "node"
KUBERNETES_VERSION = "v1.36.3"
CNI_PLUGINS = Path("/usr/lib/cni")

_VERSION = "k8s.io/component-base/version"
_CONTAINERD = "github.com/containerd/containerd/v2/cmd"

KUBERNETES = GoPart(
    "kubernetes",
    NODE_SOURCES / "kubernetes",
    {"kubernetes": "."},
    # Without the stamp, kubelet reports v0.0.0-master and clients refuse features.
    definitions=(
        f"{_VERSION}.gitVersion={KUBERNETES_VERSION}",
        f"{_VERSION}.gitMajor=1",
        f"{_VERSION}.gitMinor={KUBERNETES_VERSION.split('.')[1]}",
    ),
    names=(
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-scheduler",
        "kubelet",
    ),
)
ETCD = GoPart("etcd", NODE_SOURCES / "etcd", {"etcd": "go.etcd.io/etcd/server/v3"})
CONTAINERD = GoPart(
    "containerd",
    NODE_SOURCES / "containerd",
    {name: f"{_CONTAINERD}/{name}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")},
)
RUNC = GoPart(
    "runc",
    NODE_SOURCES / "runc",
    {"runc": "github.com/opencontainers/runc"},
    tags="seccomp",
    # The part that enters namespaces is written in C.
    cgo=True,
)
PARTS = (KUBERNETES, ETCD, CONTAINERD, RUNC)


PACKAGES = (
    Package("iproute2", "ip"),
    Package("nftables", "nft"),
    Package("iptables", "iptables"),
    Package("conntrack", "conntrack"),
    Package("socat", "socat"),
    Package("ethtool", "ethtool"),
    Package("util-linux", "nsenter"),
    Package("openssl", "openssl"),
    Package("kubernetes-client", "kubectl"),
    Package("containernetworking-plugins", str(CNI_PLUGINS / "ptp")),
    Package("gcc", "gcc"),
    Package("libc6-dev", "/usr/include/stdio.h"),
    Package("pkg-config", "pkg-config"),
    Package("libseccomp-dev", "/usr/include/seccomp.h"),
)


@dataclass(frozen=True)
class Programs:
    """Folders of the built programs."""

    kubernetes: Path
    etcd: Path
    containerd: Path
    runc: Path

    @property
    def search_path(self) -> str:
        """PATH for containerd, which needs its shim, and the shim, which needs runc."""
        folders = (self.containerd, self.runc, Path("/usr/sbin"), Path("/usr/bin"))
        return ":".join(map(str, (*folders, Path("/sbin"), Path("/bin"))))


def build_programs() -> Programs:
    """Return the node's programs, after building the missing ones."""
    return Programs(*(golang.build(part) for part in PARTS))
