"""Compare Perennial's model server with those that pip can install.

    .venv/bin/python -m benchmarks.serving [--quick] [--servers perennial triton ...]

creates an environment for each peer (once; build/benchmarks/venvs) and two models (a forest of 30
features, a CNN for images). It then goes round by round from server to server: starts it, lets a
real client compare its answers with the model's, sends load, and stops it. Other load on the
machine thus affects all alike; the medians over the rounds are printed. wrk sends HTTP, h2load
gRPC, with one thread each, on the same machine. Every run must be without failures, and all
responses must have the length of a correct one. A server that does not support a work is listed
with its own response.

All receive the same bytes and return the same answer, in the Open Inference Protocol v2. Each is
one process if it supports that, logs nothing for a request, and runs the same ONNX Runtime: one
thread for the forest, the machine's cores for the CNN. Memory is proportional (PSS) over a server's
processes, under load. CPU is the server's time for a request, which compares servers even if the
machine has other load. The start is the time to the first prediction.

Triton is the real server from the wheel ``nvidia-pytriton``, which has no backend for ONNX Runtime,
so the model runs in Triton's Python backend.

Prints a table, then the design's targets; writes serving.json and serving.png to build/benchmarks.
In process there are no connections; those records have 1. The CNN runs there from one thread with
all cores, and from all cores with one thread each; the faster counts. About 20 minutes with all
servers, 4 with --quick, which only shows that all answer.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from . import plot, tools, venvs
from .measure import ROOT
from .models import make
from .peers import PEERS
from .peers.base import Peer
from .report import IN_PROCESS, Results, table, verdicts
from .rounds import Bench, Plan, log
from .works import WORKS

FOLDER = ROOT / "build" / "benchmarks"


def main() -> None:
    options = _options()
    tools.ensure()
    peers, missing = _install([peer for peer in PEERS if peer.key in options.servers])
    works = [work for work in WORKS if work.key in options.works]
    models = make(FOLDER / "models")
    plan = Plan(
        peers=peers,
        works=works,
        connections=options.connections,
        rounds=options.rounds,
        seconds=options.seconds,
        image_threads=options.image_threads,
        in_process=IN_PROCESS in options.servers,
        folder=FOLDER / "serving",
    )
    kinds = {work.model for work in works}
    bench = Bench(plan, {kind: model for kind, model in models.items() if kind in kinds})
    bench.run()
    results = Results(bench.samples)
    titles = {peer.key: peer.title for peer, _ in peers}
    for line in table(results, works, titles, bench.not_served, bench.failed):
        print(line)
    for title, reason in missing.items():
        print(f"\n{title} is left out, because it cannot be installed: {reason}")
    print("\nThe design's targets")
    for line in verdicts(results):
        print(line)
    records = [sample.record() for sample in results.samples]
    (FOLDER / "serving.json").write_text(json.dumps(records, indent=1) + "\n")
    plot.draw(results, works, titles, FOLDER / "serving.png")
    print(f"\nwritten: {_short(FOLDER / 'serving.json')}, {_short(FOLDER / 'serving.png')}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.serving",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    servers = [IN_PROCESS, *(peer.key for peer in PEERS)]
    works = [work.key for work in WORKS]
    add = parser.add_argument
    add("--rounds", type=_positive, help="default: 3, or 1 with --quick")
    add("--seconds", type=_positive, help="of one measurement; default: 3, or 1 with --quick")
    add(
        "--servers",
        nargs="+",
        choices=servers,
        default=servers,
        metavar="SERVER",
        help=_of(servers),
    )
    add("--works", nargs="+", choices=works, default=works, metavar="WORK", help=_of(works))
    add("--connections", nargs="+", type=_positive, metavar="N", help="of the works' only these")
    add("--image-threads", type=_positive, metavar="N", help="of one run of the CNN; default: all")
    add("--quick", action="store_true", help="one short round, to see that all answer")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.seconds = options.seconds or (1 if options.quick else 3)
    return options


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def _of(choices: Sequence[str]) -> str:
    return f"of {', '.join(choices)}; default: all"


def _install(wanted: Sequence[Peer]) -> tuple[list[tuple[Peer, Path]], dict[str, str]]:
    """Install the peers; return their Pythons, and the failures."""
    peers, missing = [], {}
    for peer in wanted:
        try:
            peers.append((peer, venvs.ensure(peer, FOLDER / "venvs")))
        except venvs.InstallError as error:
            missing[peer.title] = str(error)
            log(f"    {peer.title} does not install: {error}")
    return peers, missing


def _short(path: Path) -> Path:
    return path.relative_to(ROOT)


if __name__ == "__main__":
    main()
