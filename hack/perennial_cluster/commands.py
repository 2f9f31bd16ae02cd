"""Command lines of the node's components."""

from __future__ import annotations

import shlex
from pathlib import Path

from perennial_cluster.addressing import Cluster, NodeAddress
from perennial_cluster.parts import Programs
from perennial_cluster.pki import Authority

ETCD_URL = "http://127.0.0.1:2379"
EVICTION_SECONDS = 30
"""Seconds until pods leave a node that does not respond.

Kubernetes' default of 300 s would be most of the time of a test that stops a node.
"""


def etcd(programs: Programs, folder: Path) -> list[str]:
    return [
        str(programs.etcd / "etcd"),
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={ETCD_URL}",
        f"--advertise-client-urls={ETCD_URL}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--logger=zap",
        # After a crash the cluster starts empty, so that its data need not reach the disk.
        "--unsafe-no-fsync",
    ]


def api_server(
    programs: Programs,
    cluster: Cluster,
    authority: Authority,
    serving: tuple[Path, Path],
    kubelet_client: tuple[Path, Path],
    front_proxy: tuple[Path, Path],
) -> list[str]:
    return [
        str(programs.kubernetes / "kube-apiserver"),
        f"--advertise-address={cluster.node(0).ip}",
        "--allow-privileged",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--client-ca-file={authority.certificate}",
        f"--tls-cert-file={serving[0]}",
        f"--tls-private-key-file={serving[1]}",
        f"--kubelet-certificate-authority={authority.certificate}",
        f"--kubelet-client-certificate={kubelet_client[0]}",
        f"--kubelet-client-key={kubelet_client[1]}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--etcd-servers={ETCD_URL}",
        f"--service-cluster-ip-range={cluster.service_network}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={authority.account_public_key}",
        f"--service-account-signing-key-file={authority.account_key}",
        # Aggregated APIs, such as a metrics server's, need these.
        f"--requestheader-client-ca-file={authority.certificate}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={front_proxy[0]}",
        f"--proxy-client-key-file={front_proxy[1]}",
        f"--default-not-ready-toleration-seconds={EVICTION_SECONDS}",
        f"--default-unreachable-toleration-seconds={EVICTION_SECONDS}",
    ]


def controller_manager(
    programs: Programs, authority: Authority, folder: Path, kubeconfig: Path
) -> list[str]:
    return [
        str(programs.kubernetes / "kube-controller-manager"),
        f"--kubeconfig={kubeconfig}",
        "--use-service-account-credentials",
        f"--root-ca-file={authority.certificate}",
        f"--service-account-private-key-file={authority.account_key}",
        f"--cluster-signing-cert-file={authority.certificate}",
        f"--cluster-signing-key-file={authority.key}",
        # The default is a folder on the host, which it would create.
        f"--flex-volume-plugin-dir={folder / 'volume-plugins'}",
        "--leader-elect=false",
    ]


def scheduler(programs: Programs, kubeconfig: Path) -> list[str]:
    return [
        str(programs.kubernetes / "kube-scheduler"),
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
    ]


def containerd(programs: Programs, config: Path) -> list[str]:
    return [str(programs.containerd / "containerd"), f"--config={config}"]


def kubelet(programs: Programs, node: NodeAddress, folder: Path, kubeconfig: Path) -> list[str]:
    return [
        str(programs.kubernetes / "kubelet"),
        f"--config={folder / 'kubelet.json'}",
        f"--kubeconfig={kubeconfig}",
        f"--root-dir={folder / 'kubelet'}",
        f"--cert-dir={folder / 'kubelet-certificates'}",
        f"--hostname-override={node.name}",
        f"--node-ip={node.ip}",
    ]


def kube_proxy(programs: Programs, folder: Path) -> list[str]:
    return [str(programs.kubernetes / "kube-proxy"), f"--config={folder / 'kube-proxy.json'}"]


def holder(binds: list[tuple[Path, Path]], ready: Path) -> list[str]:
    """Return the command of a process that keeps a node's namespaces open.

    The mounts of kubelet and containerd are in a mount namespace of the node, and disappear with
    its last process, however that ends. In there, the node's own folders replace those with fixed
    paths. /sys stays the host's, because kubelet would not find the cgroups in a new one.
    """
    mounts = [shlex.join(["mount", "--bind", *map(str, pair)]) for pair in binds]
    # Volumes with mount propagation need shared mounts; these are shared within the node only.
    script = " && ".join([*mounts, "mount --make-rshared /", shlex.join(["touch", str(ready)])])
    shell = f"{script} && exec sleep infinity"
    return ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", shell]
