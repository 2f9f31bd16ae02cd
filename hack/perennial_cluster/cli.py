"""The command line: `perennial-cluster`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import astuple

from perennial_build.errors import ReportedError
from perennial_build.progress import report
from perennial_cluster.addressing import NODES, check_name
from perennial_cluster.backend import DEFAULT_NAME, Backend, Summary
from perennial_cluster.choice import choose
from perennial_images.store import find_archive

_HEADINGS = ("NAME", "BACK-END", "NODES", "API", "KUBECONFIG", "STATE", "TO REMOVE IT")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="perennial-cluster",
        description="Start and stop a Kubernetes cluster for Perennial: the cluster of"
        " PERENNIAL_KUBECONFIG, else kind if Docker runs, else a node built from source on this"
        " machine.",
    )
    actions = top.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=text, description=text)
        if name != "status":
            action.add_argument("--name", default=DEFAULT_NAME, help=f"default: {DEFAULT_NAME}")
        return action

    up = add("up", "Start the cluster if it does not run.")
    up.add_argument(
        "--nodes", type=int, choices=range(1, len(NODES) + 1), metavar="K", help="default: 1"
    )
    down = add("down", "Remove the cluster and everything that it left on this machine.")
    down.add_argument("--all", action="store_true", help="all clusters that `up` started")
    add("status", "List the clusters.")
    load = add("load", "Copy an image to every node.")
    load.add_argument("image", help="an image built by perennial-images, or an OCI archive")
    add("kubeconfig", "Print the path of the kubeconfig.")
    node = add("node", "Stop a node like a power cut, or start it again.")
    node.add_argument("what", choices=("stop", "start"))
    node.add_argument("index", type=int)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        _run(choose(), options)
    except ReportedError as failure:
        print(f"perennial-cluster: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("perennial-cluster: interrupted", file=sys.stderr)
        return 130
    return 0


def _run(backend: Backend, options: argparse.Namespace) -> None:
    if options.action == "status":
        _print_table([backend.summary(name) for name in backend.names()])
        return
    name = check_name(options.name)
    if options.action == "up":
        backend.up(name, options.nodes)
        report(f"export KUBECONFIG={backend.kubeconfig(name)}")
    elif options.action == "down":
        for each in backend.names() if options.all else [name]:
            backend.down(each)
    elif options.action == "load":
        backend.load(name, find_archive(options.image))
    elif options.action == "kubeconfig":
        print(backend.kubeconfig(name))
    else:
        backend.node(name, options.what, options.index)


def _print_table(summaries: Sequence[Summary]) -> None:
    """Print one block for each cluster: the paths are too long for columns."""
    if not summaries:
        print("No cluster exists. `perennial-cluster up` starts one.")
    width = max(map(len, _HEADINGS))
    for summary in summaries:
        for heading, value in zip(_HEADINGS, astuple(summary), strict=True):
            print(f"{heading:<{width}}  {value}")
        print()
