import json
import tomllib
from pathlib import Path

from perennial_cluster import commands, config, network, pki
from perennial_cluster.addressing import Cluster
from perennial_cluster.parts import Programs
from perennial_cluster.pki import Authority, Subject

CLUSTER = Cluster("test", 2)
NODE = CLUSTER.node(1)
PROGRAMS = Programs(Path("/k"), Path("/e"), Path("/c"), Path("/r"))
PAIR = (Path("/pki/a.crt"), Path("/pki/a.key"))
FOLDER = Path("/state/node-1")


def test_kubelet_runs_with_cgroups_v1_in_its_own_cgroup() -> None:
    rendered = json.loads(config.kubelet(NODE, FOLDER, Path("/pki/ca.crt"), PAIR))
    assert rendered["failCgroupV1"] is False
    assert rendered["cgroupRoot"] == "/perennial2n1"
    assert rendered["clusterDNS"] == ["10.178.0.10"]


def test_containerd_keeps_to_the_nodes_folders() -> None:
    rendered = tomllib.loads(config.containerd(NODE, FOLDER, "localhost/pause:1"))
    assert rendered["root"] == "/state/node-1/containerd"
    assert rendered["state"] == "/run/perennial/2/1/containerd"
    runtime = rendered["plugins"]["io.containerd.cri.v1.runtime"]
    assert runtime["restrict_oom_score_adj"] is True
    assert runtime["cni"]["conf_dir"] == "/state/node-1/cni.d"


def test_pods_have_addresses_of_their_node() -> None:
    plugin = json.loads(config.cni(NODE))["plugins"][0]
    assert plugin["ipam"]["ranges"] == [[{"subnet": "10.162.1.0/24"}]]


def test_dns_listens_where_kubelet_sends_pods() -> None:
    service = next(d for d in config.dns(CLUSTER, "localhost/dns:1") if d["kind"] == "Service")
    assert service["spec"]["clusterIP"] == "10.178.0.10"


def test_the_api_server_serves_the_clusters_range_from_node_zero() -> None:
    authority = Authority(Path("/pki"))
    command = commands.api_server(PROGRAMS, CLUSTER, authority, PAIR, PAIR, PAIR)
    assert command[0] == "/k/kube-apiserver"
    assert "--advertise-address=10.231.2.10" in command
    assert "--service-cluster-ip-range=10.178.0.0/16" in command
    assert "--authorization-mode=Node,RBAC" in command


def test_kube_proxy_follows_a_pod_within_a_second() -> None:
    rendered = json.loads(config.kube_proxy(NODE, Path("/kc")))
    assert rendered["nftables"] == {"minSyncPeriod": "100ms", "syncPeriod": "2s"}


def test_no_component_keeps_state_in_a_folder_of_the_host() -> None:
    manager = commands.controller_manager(PROGRAMS, Authority(Path("/pki")), FOLDER, Path("/kc"))
    assert "--flex-volume-plugin-dir=/state/node-1/volume-plugins" in manager
    kubelet = commands.kubelet(PROGRAMS, NODE, FOLDER, Path("/kc"))
    assert "--root-dir=/state/node-1/kubelet" in kubelet


def test_a_folder_with_a_space_is_quoted_in_the_holders_script() -> None:
    script = commands.holder([(Path("/a b"), Path("/var/lib/cni"))], Path("/ready"))[-1]
    assert "mount --bind '/a b' /var/lib/cni" in script


def test_a_node_reaches_other_nodes_pods_by_their_addresses() -> None:
    lines = network.inside_commands(NODE, [CLUSTER.node(0)])
    assert "route replace 10.162.0.0/24 via 10.231.2.10 onlink dev eth0" in lines


def test_the_host_sends_service_addresses_to_node_zero() -> None:
    assert any(
        line.startswith("route add 10.178.0.0/16 via 10.231.2.10")
        for line in network.bridge_commands(CLUSTER)
    )


def test_a_certificate_is_for_servers_only_if_it_has_addresses() -> None:
    assert "serverAuth" not in pki.extension_lines(Subject("client"))
    lines = pki.extension_lines(Subject("server", addresses=["localhost", "127.0.0.1"]))
    assert "subjectAltName=DNS:localhost,IP:127.0.0.1" in lines
    assert "serverAuth" in lines


def test_a_kubeconfig_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki")
    authority.create()
    target = tmp_path / "kubeconfig"
    authority.kubeconfig(target, "https://10.0.0.1:6443", "admin", Subject("admin", "a:b"))
    assert target.stat().st_mode & 0o777 == 0o600
    assert json.loads(target.read_text())["current-context"] == "admin"
