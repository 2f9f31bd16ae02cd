"""The demo's story, in order."""

import argparse
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from obstore.exceptions import BaseError
from obstore.store import S3Store
from sklearn.metrics import confusion_matrix
from threadpoolctl import threadpool_limits

from . import bundle, conversion, data, deployment, picture, protocol, store, training
from .bundle import Packed
from .data import Rows
from .errors import DemoError
from .kubectl import Kubectl, kubeconfig_of
from .protocol import Prediction
from .reach import Endpoint, open_service, open_tunnel
from .screen import Screen
from .traffic import Report, Traffic
from .training import LABELS, Scores, Trained
from .update import Update, update_under_load

ROWS_A_REQUEST = 64
CONNECTIONS = 4


@dataclass(frozen=True)
class Stage:
    """What every act of the story needs."""

    screen: Screen
    kubectl: Kubectl
    out: Path
    cluster: str
    direct: bool
    """Whether Services are called by their ClusterIPs where these are routed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demo; the exit code."""
    options = _parser().parse_args(arguments)
    screen = Screen()
    try:
        kubeconfig = options.kubeconfig or kubeconfig_of(options.cluster)
        if not kubeconfig.is_file():
            raise DemoError(f"there is no cluster: {kubeconfig} is missing. Say `make install`")
        # scikit-learn's threads wait for each other in turns: where other programs keep the
        # processors busy, and the cluster does, one is quicker than many.
        with threadpool_limits(1):
            return play(
                Stage(screen, Kubectl(kubeconfig), options.out, options.cluster, options.direct)
            )
    except (DemoError, conversion.ParityError, BaseError) as error:
        screen.stop(str(error))
        return 1
    except KeyboardInterrupt:
        screen.stop("interrupted. It can be run again at any time")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="flights_demo", description=__doc__)
    parser.add_argument("--cluster", default="perennial", help="name of the cluster")
    parser.add_argument("--kubeconfig", type=Path, help="another cluster than that one")
    parser.add_argument("--out", type=Path, default=Path("build/demo"), help="for what it leaves")
    parser.add_argument(
        "--no-direct",
        dest="direct",
        action="store_false",
        help="go through the API server even where ClusterIPs are routed",
    )
    return parser


def play(stage: Stage) -> int:
    """All acts; the exit code."""
    screen, kubectl = stage.screen, stage.kubectl
    with screen.step("Flights from New York City, with the weather of the hour"):
        rows = data.load(stage.out / "flights.csv")
        january, february = rows.month(1), rows.month(2)
        screen.say(
            f"January: {len(january):,} flights that arrived, {january.late.mean():.1%} of them "
            f"more than {data.LATE_MINUTES} minutes late. February: {len(february):,}."
        )
    with screen.step("Train version 1 on January, convert it to ONNX"):
        first = training.train(january)
        packed = _pack(screen, first, "version 1: January 2013")

    with screen.step("Upload it to the S3 server in the cluster"):
        keys = kubectl.secret("store", "store")
        uri = _upload(stage, keys, "flights/1", packed)

    with screen.step("Serve it: kubectl apply -f examples/flights/model.yaml"):
        deployment.prepare(kubectl, keys)
        deployment.apply(kubectl, uri)
        with screen.status() as show:
            view = deployment.wait_until_served(kubectl, uri, packed.digest, show)
        screen.say(f"Revision {view.revision} answers from 2 pods, with the bytes uploaded.")

    path = protocol.path(deployment.NAME)
    with open_service(kubectl, deployment.NAMESPACE, deployment.NAME, stage.direct) as endpoint:
        with screen.step(f"Predict all of February, {ROWS_A_REQUEST} flights a request"):
            _predict_february(stage, endpoint, february, first)

        with screen.step("Train version 2, on January and the first half of February"):
            middle = _first_half(february)
            second = training.train(data.concatenate(january, february[:middle]))
            packed = _pack(screen, second, "version 2: January to mid-February 2013")
            _compare(screen, first, second, february[middle:])
            uri = _upload(stage, keys, "flights/2", packed)

        with screen.step("Change spec.model.uri while 4 connections keep asking"):
            bodies = protocol.batches(february[: 50 * ROWS_A_REQUEST], ROWS_A_REQUEST)
            with screen.status() as show:
                update = update_under_load(
                    kubectl, endpoint, path, bodies, uri, packed.digest, show
                )
            _tell_update(screen, update)
        _say_goodbye(stage, endpoint, february)
    return 1 if update.report.failures else 0


def _pack(screen: Screen, trained: Trained, data_name: str) -> Packed:
    """Converts, checks and packs a model, and tells about it."""
    scores = trained.scores
    screen.say(
        f"A scikit-learn pipeline, trained on {len(trained.trained_on):,} flights. On the "
        f"{len(trained.held_out):,} that followed:\n{_scores(scores)}"
    )
    model = conversion.convert(trained.pipeline)
    parity = conversion.check(model, trained.pipeline, trained.held_out)
    screen.say(
        f"ONNX, {len(model) / 1024:.0f} KiB: {parity.same_labels:,} of {parity.rows:,} labels as "
        f"scikit-learn's, unknown names among them;\n"
        f"probabilities differ by {parity.largest_difference:.0e} at most."
    )
    lineage = {"data": data_name, "seed": str(training.SEED)}
    return bundle.pack(model, LABELS, scores.by_name(), lineage)


def _upload(stage: Stage, keys: dict[str, str], prefix: str, packed: Packed) -> str:
    with open_tunnel(stage.kubectl, "store", "store", stage.direct) as endpoint:
        bucket: S3Store = store.open_bucket(endpoint, keys)
        uri = store.upload(bucket, prefix, packed)
    stage.screen.say(f"{uri}  {packed.digest[:19]}...")
    return uri


def _predict_february(stage: Stage, endpoint: Endpoint, rows: Rows, first: Trained) -> None:
    """Sends all flights, and shows how good the answers are."""
    screen = stage.screen
    screen.say(f"{endpoint.url}{protocol.path(deployment.NAME)}, by {endpoint.way}")
    predicted, report, seconds = _send_all(screen, endpoint, rows)
    scores = training.score(rows.late, predicted.probability)
    counts = confusion_matrix(rows.late, predicted.late)
    same = int((predicted.late == first.pipeline.predict(rows.features)).sum())
    file = stage.out / "confusion.png"
    picture.draw(
        counts,
        LABELS,
        scores,
        "Will the flight arrive more than 15 minutes late?",
        f"{len(rows):,} flights that left New York City in February 2013, predicted at push-back",
        file,
    )
    screen.say(
        f"{report.sent:,} requests in {seconds:.1f} s: {len(rows) / seconds:,.0f} flights/s, "
        f"half of them answered within {report.milliseconds(0.5):.1f} ms, "
        f"99 % within {report.milliseconds(0.99):.1f} ms.\n"
        f"The cluster says what scikit-learn says for {same:,} of {len(rows):,} flights.\n\n"
        f"{_scores(scores)}\n{_matrix(counts)}\n\nAs a picture: {file}"
    )


def _send_all(screen: Screen, endpoint: Endpoint, rows: Rows) -> tuple[Prediction, Report, float]:
    """The predictions for all rows in order, how the requests ended, and the seconds taken."""
    bodies = protocol.batches(rows, ROWS_A_REQUEST)
    answers: dict[int, Prediction] = {}
    begun = time.monotonic()
    with screen.progress("Flights", len(rows)) as show:

        def on_answer(number: int, prediction: Prediction) -> None:
            answers[number] = prediction
            show(min(len(answers) * ROWS_A_REQUEST, len(rows)))

        path = protocol.path(deployment.NAME)
        with Traffic(
            endpoint, path, enumerate(bodies), connections=CONNECTIONS, on_answer=on_answer
        ) as traffic:
            pass
    report = traffic.report
    if report.failures:
        raise DemoError(
            f"{len(report.failures)} of {report.sent} requests failed. The first: "
            f"{report.failures[0]}"
        )
    ordered = [answers[number] for number in range(len(bodies))]
    predicted = Prediction(
        ordered[0].version,
        np.concatenate([answer.late for answer in ordered]),
        np.concatenate([answer.probability for answer in ordered]),
    )
    return predicted, report, time.monotonic() - begun


def _first_half(february: Rows) -> int:
    """How many of February's flights leave by its 14th day."""
    days = february.hours.dt.tz_convert("America/New_York").dt.day
    return int((days <= 14).sum())


def _compare(screen: Screen, first: Trained, second: Trained, rows: Rows) -> None:
    """Both versions on flights that neither has seen."""
    old, new = (training.judge(trained.pipeline, rows) for trained in (first, second))
    screen.say(
        f"On the {len(rows):,} flights of the second half of February: "
        f"F1 {old.f1:.3f} -> {new.f1:.3f}, ROC AUC {old.roc_auc:.3f} -> {new.roc_auc:.3f}."
    )


def _tell_update(screen: Screen, update: Update) -> None:
    report = update.report
    for version, served in sorted(report.served.items(), key=lambda item: item[1].first):
        begin, end = served.first - update.changed, served.last - update.changed
        screen.say(f"{served.count:>7,} answered by {version}, {_moment(begin)} to {_moment(end)}")
    screen.say(
        f"{report.sent:>7,} requests sent, 99 % answered within "
        f"{report.milliseconds(0.99):.1f} ms\n"
        f"{report.retried:>7,} sent again, since an idle connection closed as they were sent\n"
        f"{len(report.failures):>7,} FAILED REQUESTS\n"
        f"Revision {update.revision} serves; {update.done - update.changed:.1f} s after the change "
        "no pod of the old one was left."
    )
    for failure in report.failures[:5]:
        screen.say(f"- {failure}")


def _moment(seconds: float) -> str:
    return f"{abs(seconds):.1f} s {'before' if seconds < 0 else 'after'} the change"


def _say_goodbye(stage: Stage, endpoint: Endpoint, rows: Rows) -> None:
    """What runs now, how to look at it, how to be rid of it; and an example to copy."""
    example = stage.out / "request.json"
    example.write_bytes(protocol.encode(rows[:2]) + b"\n")
    config = shlex.quote(str(stage.kubectl.kubeconfig))
    path = protocol.path(deployment.NAME)
    namespace, name = deployment.NAMESPACE, deployment.NAME
    if endpoint.prefix:
        tunnel = f"kubectl --kubeconfig {config} -n {namespace} port-forward service/{name} 8080:80"
        call = f"{tunnel} &\n  curl -d @{example} http://127.0.0.1:8080{path}"
    else:
        call = f"curl -d @{example} {endpoint.url}{path}"
    stage.screen.head("The model goes on serving")
    stage.screen.say(
        f"Look at it:\n  kubectl --kubeconfig {config} get mdep -n {namespace}\n"
        f"Ask it about two flights:\n  {call}\n"
        f"Remove it:\n  kubectl --kubeconfig {config} delete mdep {name} -n {namespace}\n"
        f"Remove all:\n  make cluster-down CLUSTER={stage.cluster}"
    )


def _scores(scores: Scores) -> str:
    return (
        f"accuracy {scores.accuracy:.3f}, recall {scores.recall:.3f}, F1 {scores.f1:.3f}, "
        f"ROC AUC {scores.roc_auc:.3f}"
    )


def _matrix(counts: np.ndarray) -> str:
    """The confusion matrix in text; row is the truth, column the prediction."""
    head = "".join(f"{label:>12}" for label in LABELS)
    lines = [f"{'really, predicted:':<20}{head}"]
    for label, row in zip(LABELS, counts, strict=True):
        lines.append(f"{label:<20}" + "".join(f"{count:>12,}" for count in row))
    return "\n".join(lines)
