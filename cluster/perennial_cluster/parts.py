"""What the local node is made of: programs built from pinned Go modules, and Debian packages."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from perennial_images import golang
from perennial_images.cache import TREE, cache_root
from perennial_images.errors import ReportedError
from perennial_images.golang import GoPart
from perennial_images.progress import run_step

NODE_SOURCES = TREE / "cluster" / "node"
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
    # Its entry into namespaces is written in C.
    cgo=True,
)
PARTS = (KUBERNETES, ETCD, CONTAINERD, RUNC)


@dataclass(frozen=True)
class Package:
    """A Debian package, and the file that shows that it is there."""

    name: str
    provides: str


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
    """Where the built programs lie."""

    kubernetes: Path
    etcd: Path
    containerd: Path
    runc: Path

    @property
    def search_path(self) -> str:
        """A PATH on which containerd finds its shim and the shim finds runc."""
        folders = (self.containerd, self.runc, Path("/usr/sbin"), Path("/usr/bin"))
        return ":".join(map(str, (*folders, Path("/sbin"), Path("/bin"))))


def missing_packages(packages: tuple[Package, ...]) -> list[str]:
    """The packages whose file is not there."""
    return [
        package.name
        for package in packages
        if shutil.which(package.provides) is None and not Path(package.provides).is_file()
    ]


def install_packages(packages: tuple[Package, ...] = PACKAGES) -> None:
    """Install what is missing where that is possible, else say exactly what to run."""
    missing = missing_packages(packages)
    if not missing:
        return
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise ReportedError(
            f"these programs of the system are missing: {', '.join(missing)}.\n"
            f"Run: sudo apt-get update && sudo {' '.join(install)}"
        )
    logs = cache_root() / "logs"
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        run_step(f"installing {len(missing)} Debian packages", install, logs / "apt.log", env=quiet)
    except ReportedError:
        # A package list that was never fetched, or is too old, is the usual reason.
        run_step("updating the list of Debian packages", ["apt-get", "update"], logs / "apt.log")
        run_step(f"installing {len(missing)} Debian packages", install, logs / "apt.log", env=quiet)


def build_programs() -> Programs:
    """Give the node's programs, built where the cache lacks them."""
    return Programs(*(golang.build(part) for part in PARTS))
