"""Configuration files of the node's components, and the manifests of its DNS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from perennial_cluster.addressing import Cluster, NodeAddress
from perennial_cluster.parts import CNI_PLUGINS


def kubelet(node: NodeAddress, folder: Path, authority: Path, pair: tuple[Path, Path]) -> str:
    """Return kubelet's configuration. It also runs under version 1 of cgroups."""
    return _json(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": str(node.ip),
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(authority)},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(pair[0]),
            "tlsPrivateKeyFile": str(pair[1]),
            "containerRuntimeEndpoint": f"unix://{node.containerd_socket}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{node.cgroup}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "clusterDNS": [str(node.cluster.dns_ip)],
            "clusterDomain": "cluster.local",
            # The node's network does not reach the host's resolvers.
            "resolvConf": "",
            # A nearly full disk, which many users have, must not evict the pods of a test.
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {
                "memory.available": "50Mi",
                "nodefs.available": "1%",
                "nodefs.inodesFree": "1%",
                "imagefs.available": "1%",
            },
            "podLogsDir": str(folder / "pod-logs"),
            "volumePluginDir": str(folder / "volume-plugins"),
        }
    )


def kube_proxy(node: NodeAddress, kubeconfig: Path) -> str:
    return _json(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "nftables",
            "bindAddress": str(node.ip),
            "clientConnection": {"kubeconfig": str(kubeconfig)},
            "clusterCIDR": str(node.cluster.pod_network),
            "hostnameOverride": node.name,
            # The defaults of 1 s between updates and 30 s until a retry are for clusters with
            # thousands of Services. Here they are most of the time in which a Service still leads
            # to a pod that has ended.
            "nftables": {"minSyncPeriod": "100ms", "syncPeriod": "2s"},
            # These limits hold for the whole machine, so that a node must not set them.
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
        }
    )


def cni(node: NodeAddress) -> str:
    """Return the configuration of the pod network, which is routed as in kind.

    Packets on a bridge can bypass the node's packet filter, depending on the kernel's settings.
    """
    return _json(
        {
            "cniVersion": "1.0.0",
            "name": "perennial",
            "plugins": [
                {
                    "type": "ptp",
                    "ipMasq": False,
                    "ipam": {
                        "type": "host-local",
                        "ranges": [[{"subnet": str(node.pod_network)}]],
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                },
                {"type": "portmap", "capabilities": {"portMappings": True}},
            ],
        }
    )


def containerd(node: NodeAddress, folder: Path, pause_image: str) -> str:
    """Return containerd's configuration, with no path outside the node's folders."""
    return f"""\
version = 3
root = '{folder}/containerd'
state = '{node.run_folder}/containerd'
disabled_plugins = ['io.containerd.internal.v1.opt']

[grpc]
address = '{node.containerd_socket}'

[plugins.'io.containerd.nri.v1.nri']
disable = true

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '{pause_image}'

[plugins.'io.containerd.cri.v1.runtime']
# Without this no pod starts if containerd may not lower its own OOM score.
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['{CNI_PLUGINS}']
conf_dir = '{folder}/cni.d'
"""


def corefile() -> str:
    """Return CoreDNS's configuration, for names of the cluster only."""
    return """\
.:1053 {
    errors
    health :8080
    ready :8181
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        ttl 5
    }
    cache 5
}
"""


def proxier_binding() -> dict[str, Any]:
    """Return the binding of kube-proxy's role, which no cluster has by default."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "perennial:node-proxier"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "system:node-proxier",
        },
        "subjects": [
            {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "User",
                "name": "system:kube-proxy",
            }
        ],
    }


def dns(cluster: Cluster, image: str) -> list[dict[str, Any]]:
    """Return the manifests of CoreDNS."""
    metadata = {"name": "coredns", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}}
    selector = {"k8s-app": "kube-dns"}
    rules = [
        {
            "apiGroups": [""],
            "resources": ["services", "pods", "namespaces"],
            "verbs": ["list", "watch"],
        },
        {
            "apiGroups": ["discovery.k8s.io"],
            "resources": ["endpointslices"],
            "verbs": ["list", "watch"],
        },
    ]
    container = {
        "name": "coredns",
        "image": image,
        "imagePullPolicy": "Never",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"name": "dns", "containerPort": 1053, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 1053, "protocol": "TCP"},
        ],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}},
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}},
        "securityContext": {
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
    }
    pod = {
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        "dnsPolicy": "Default",
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
    }
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "system:coredns"},
            "rules": rules,
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "system:coredns"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "system:coredns",
            },
            "subjects": [{"kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system"}],
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {"Corefile": corefile()},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": selector},
                "template": {"metadata": {"labels": selector}, "spec": pod},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**metadata, "name": "kube-dns"},
            "spec": {
                "clusterIP": str(cluster.dns_ip),
                "selector": selector,
                "ports": [
                    {"name": "dns", "port": 53, "targetPort": 1053, "protocol": "UDP"},
                    {"name": "dns-tcp", "port": 53, "targetPort": 1053, "protocol": "TCP"},
                ],
            },
        },
    ]


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1) + "\n"
