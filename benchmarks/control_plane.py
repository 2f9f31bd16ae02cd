"""Measure the operator: time from apply to Ready, and requests when idle.

    make cluster-up install && .venv/bin/python benchmarks/control_plane.py

prints the time from apply to Ready (one model at a time, with the image on the node), and the
requests of an idle operator by verb in a minute with 50 ModelDeployments. Writes
build/benchmarks/control_plane.json.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.cluster import Cluster, Namespace, digest_of, wait_until  # noqa: E402
from support.models import adder_bundle  # noqa: E402

SYSTEM = "perennial-system"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster", default="perennial", help="name of the cluster")
    parser.add_argument("--repeat", type=int, default=10, help="models that are applied in turn")
    parser.add_argument("--models", type=int, default=50, help="models of the idle operator")
    parser.add_argument("--idle-seconds", type=float, default=60, help="seconds of idle time")
    options = parser.parse_args()
    words = [sys.executable, "-m", "perennial_cluster", "kubeconfig", "--name", options.cluster]
    cluster = Cluster(Path(subprocess.check_output(words, text=True).strip()))
    uri = cluster.put_model("benchmarks/1", adder_bundle(1))
    digest = digest_of(adder_bundle(1)["bundle.json"])

    results: dict[str, object] = {}
    with cluster.namespace() as namespace:
        for case, model in (("pinned", {"digest": digest}), ("looked up", {})):
            seconds = [
                time_to_ready(namespace, f"{case[:6]}-{turn}", uri, model)
                for turn in range(options.repeat)
            ]
            results[f"apply to Ready, {case}"] = summary = {
                "median_s": round(statistics.median(seconds), 2),
                "worst_s": round(max(seconds), 2),
                "runs": options.repeat,
            }
            print(f"apply to Ready, {case}: {summary}")
    with cluster.namespace() as namespace:
        for number in range(options.models):
            namespace.deploy(f"idle-{number}", uri, replicas=0, model={"digest": digest})
        for number in range(options.models):
            namespace.wait_complete(f"idle-{number}", 120)
        wait_until(lambda: not requests_during(cluster, 5), 180)
        requests = requests_during(cluster, options.idle_seconds)
        case = (
            f"requests of an idle operator, {options.models} models, {options.idle_seconds:.0f} s"
        )
        results[case] = dict(requests)
        print(f"{case}: {dict(requests) or 'none'}")
    target = ROOT / "build" / "benchmarks" / "control_plane.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=1) + "\n")


def time_to_ready(namespace: Namespace, name: str, uri: str, model: dict[str, str]) -> float:
    """Return the seconds from kubectl apply until the condition Ready is True."""
    name = name.strip().replace(" ", "-")
    started = time.monotonic()
    namespace.deploy(name, uri, model=model)
    namespace.kubectl("wait", f"mdep/{name}", "--for=condition=Ready", "--timeout=60s")
    seconds = time.monotonic() - started
    namespace.kubectl("delete", "mdep", name)
    return seconds


def requests_during(cluster: Cluster, seconds: float) -> Counter[str]:
    """Count the operator's requests by verb, without its watches."""
    before = _requests(cluster)
    time.sleep(seconds)
    return _requests(cluster) - before


def _requests(cluster: Cluster) -> Counter[str]:
    selector = "app.kubernetes.io/name=perennial-operator"
    words = ["get", "pods", "-n", SYSTEM, "-l", selector, "-o", "json"]
    (pod,) = json.loads(cluster.kubectl(*words))["items"]
    url = f"http://{pod['status']['podIP']}:9090/metrics"
    with urllib.request.urlopen(url, timeout=10) as response:
        text = response.read().decode()
    pattern = r'perennial_operator_api_requests_total\{.*?verb="(\w+)"\} (\S+)'
    counts: Counter[str] = Counter()
    for verb, count in re.findall(pattern, text):
        counts[verb] += int(float(count))
    return counts


if __name__ == "__main__":
    main()
