from ipaddress import IPv4Network

import pytest

from perennial_build.errors import ReportedError
from perennial_cluster.addressing import (
    INDICES,
    NODES,
    Cluster,
    check_name,
    lowest_free_index,
)


def test_two_clusters_share_no_address() -> None:
    networks = [network for index in INDICES for network in Cluster("any", index).networks]
    pairs = [(a, b) for i, a in enumerate(networks) for b in networks[i + 1 :]]
    assert not [pair for pair in pairs if pair[0].overlaps(pair[1])]


def test_two_clusters_share_no_name() -> None:
    clusters = [Cluster("any", index) for index in INDICES]
    nodes = [cluster.node(number) for cluster in clusters for number in NODES]
    links = [node.link for node in nodes] + [cluster.bridge for cluster in clusters]
    assert len(set(links)) == len(links)
    assert len({node.cgroup for node in nodes}) == len(nodes)
    assert len({node.containerd_socket for node in nodes}) == len(nodes)


def test_every_link_name_fits_the_kernels_limit() -> None:
    assert len(Cluster("any", INDICES[-1]).node(NODES[-1]).link) <= 15


def test_every_node_has_its_own_pods_inside_the_clusters_range() -> None:
    cluster = Cluster("any", 3)
    networks = [cluster.node(number).pod_network for number in NODES]
    assert all(network.subnet_of(cluster.pod_network) for network in networks)
    assert len(set(networks)) == len(networks)


def test_the_lowest_free_index_is_given() -> None:
    assert lowest_free_index(set(), []) == 0
    assert lowest_free_index({0, 1, 3}, []) == 2


def test_an_index_is_skipped_if_the_host_routes_its_network_elsewhere() -> None:
    assert lowest_free_index(set(), [IPv4Network("10.160.3.0/24")]) == 1


def test_the_error_for_a_full_machine_has_a_fix() -> None:
    with pytest.raises(ReportedError, match="down --name"):
        lowest_free_index(set(INDICES), [])


@pytest.mark.parametrize("name", ["", "Upper", "../up", "-a", "a-", "a" * 41, "a/b", "a b"])
def test_a_name_that_is_not_a_host_name_is_rejected(name: str) -> None:
    with pytest.raises(ReportedError, match="expected at most 40"):
        check_name(name)


def test_an_unknown_node_number_is_rejected() -> None:
    with pytest.raises(ReportedError, match="from 0 to 15"):
        Cluster("any", 0).node(99)
