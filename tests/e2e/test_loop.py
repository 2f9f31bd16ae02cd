"""A model is monitored, retrained if needed, and replaced only by a better one."""

import json
import os
import shutil
from typing import Any

import duckdb
import obstore
import pytest
from support import kueue, tabular
from support.cluster import NAME, Cluster, Namespace, wait_until
from support.looping import Loop, succeeded
from support.tabular import FLIPPED, SHIFTED, TRUTH, Concept, traffic

pytestmark = pytest.mark.cluster

SYSTEM = "perennial-system"
OPERATOR = "app.kubernetes.io/name=perennial-operator"


@pytest.fixture
def loop(namespace: Namespace) -> Loop:
    return Loop(namespace)


def test_labels_alone_show_the_drop_and_the_better_challenger_takes_over_and_can_be_rolled_back(
    loop: Loop,
) -> None:
    loop.deploy(replicas=2)
    first = loop.status()["stable"]
    world: list[Concept] = [TRUTH]
    with traffic(loop.address, "shop", lambda: world[0]) as report:
        loop.wait("QualityDropped", "AsEvaluated")
        loop.wait("DriftDetected", "NoDrift")
        assert loop.runs() == []
        # Inputs stay as they were, and with them the answers; only the truth is another one.
        world[0] = FLIPPED
        loop.wait("Retraining", "Running", 120)
        drifted = loop.namespace.condition("shop", "DriftDetected")
        assert drifted["status"] == "False", drifted
        (run,) = loop.runs()
        name = run["metadata"]["name"]
        assert run["spec"]["trigger"]["type"] == "QualityDrop"
        assert "roc_auc is" in run["spec"]["trigger"]["message"]
        run = loop.wait_for_run(name, "Accepted")
        comparison = run["status"]["comparisons"][0]
        assert comparison["challengerPermille"] > comparison["championPermille"]
        digest = run["status"]["challenger"]["digest"]
        wait_until(lambda: loop.status()["stable"]["digest"] == digest, 90, loop.status)
        loop.wait("Progressing", "Complete")
        seen = report.versions[digest.removeprefix("sha256:")[:12]]
        wait_until(lambda: report.versions[digest.removeprefix("sha256:")[:12]] > seen + 20, 60)
        stable = loop.status()["stable"]
        assert stable["lineage"]["retrainJob"] == name
        assert stable["lineage"]["trigger"]["type"] == "QualityDrop"
        assert stable["lineage"]["data"]["digest"].startswith("sha256:")
        assert loop.status()["retraining"]["runs"][0]["outcome"] == "Promoted"
        # The new model is as good as its own profile says.
        loop.wait("QualityDropped", "AsEvaluated")
        spec = loop.namespace.get("mdep", "shop")["spec"]
        assert spec["model"]["uri"] == loop.uri

        loop.namespace.kubectl("annotate", "mdep", "shop", "perennial.dev/rollback=1")
        wait_until(lambda: loop.status()["stable"]["digest"] == first["digest"], 90, loop.status)
        loop.wait("Progressing", "Complete")
    assert report.failures == []
    report_html = run["status"]["report"].removeprefix("s3://models/")
    text = bytes(obstore.get(loop.namespace.cluster.store, report_html).bytes()).decode()
    assert "<svg" in text or "<table" in text


def test_a_harmless_shift_of_inputs_warns_and_starts_no_run(loop: Loop) -> None:
    loop.deploy()
    world: list[Concept] = [TRUTH]
    with traffic(loop.address, "shop", lambda: world[0]) as report:
        loop.wait("DriftDetected", "NoDrift")
        world[0] = SHIFTED
        told = loop.wait("DriftDetected", "InputDrift")
        assert told["status"] == "True"
        assert "hours (PSI" in told["message"]
        before = loop.status()["monitoring"]["drift"]["windowEnd"]
        wait_until(lambda: loop.status()["monitoring"]["drift"]["windowEnd"] > before)
        assert loop.namespace.condition("shop", "Retraining")["reason"] == "NotNeeded"
        assert loop.runs() == []
    assert report.failures == []


@pytest.mark.alone
def test_a_restart_of_the_operator_starts_no_second_run_for_the_same_evidence(
    loop: Loop, cluster: Cluster
) -> None:
    # A gate that nobody passes: the trouble stays, and the evidence with it.
    gate = {"metric": "roc_auc", "minValuePermille": 1000}
    policy = {"cooldown": "1h", "minLabels": 500}
    loop.deploy(retraining={"policy": policy, "template": loop.template(gate=gate)})
    with traffic(loop.address, "shop", lambda: FLIPPED) as report:
        loop.wait("Retraining", "Running", 120)
        (run,) = loop.runs()
        _kill_operator(cluster)
        loop.wait_for_run(run["metadata"]["name"], "Rejected")
        told = loop.wait("Retraining", "EvidenceKnown")
        assert "retries at" in told["message"]
        _kill_operator(cluster)
        before = loop.status()["monitoring"]["quality"]["windowEnd"]
        wait_until(
            lambda: loop.status()["monitoring"]["quality"]["windowEnd"] > before, 90, loop.status
        )
        assert loop.namespace.condition("shop", "Retraining")["reason"] == "EvidenceKnown"
        assert len(loop.runs()) == 1
        assert loop.status()["stable"]["digest"] == loop.made.digest
    assert report.failures == []


def test_captured_rows_can_be_read_with_their_labels(loop: Loop, tmp_path: Any) -> None:
    loop.deploy(retraining={"when": [], "template": loop.template()})
    with traffic(loop.address, "shop", lambda: TRUTH) as report:
        wait_until(lambda: report.sent > 10)
        loop.wait("Capturing", "Writing")
    store = loop.namespace.cluster.store
    prefix = f"capture/{loop.namespace.name}/"

    def joined() -> int:
        found = [meta["path"] for page in obstore.list(store, prefix) for meta in page]
        for path in found:
            file = tmp_path / path.removeprefix(prefix)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(bytes(obstore.get(store, path).bytes()))
        if not list(tmp_path.glob("predictions/**/*.parquet")):
            return 0
        query = f"""
            select count(distinct p._prediction_id)
            from read_parquet('{tmp_path}/predictions/**/*.parquet', hive_partitioning = true) p
            join read_parquet('{tmp_path}/labels/**/*.parquet', hive_partitioning = true) l
            using (_prediction_id) where p.model = 'shop' and p.amount is not null"""
        (rows,) = duckdb.execute(query).fetchall()
        return int(rows[0])

    wait_until(lambda: joined() == report.sent * tabular.ROWS_A_REQUEST, 30, joined)


@pytest.fixture
def quiet(loop: Loop) -> Loop:
    """Model without automatic retraining."""
    loop.deploy_quietly()
    return loop


def test_a_failed_run_reports_the_cause(quiet: Loop, cluster: Cluster) -> None:
    with traffic(quiet.address, "shop", lambda: TRUTH, labels=False) as report:
        wait_until(lambda: report.sent > 40)
    quiet.run_by_hand("no-labels")
    run = quiet.wait_for_run("no-labels", "NoLabels")
    assert succeeded(run)["status"] == "False"
    assert "feedback" in run["status"]["message"]

    quiet.capture_rows()
    _secret(quiet.namespace, cluster, "nowhere", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    quiet.run_by_hand("no-store", secretRef={"name": "nowhere"}, activeDeadlineSeconds=300)
    limits = {"requests": {"memory": "24Mi"}, "limits": {"memory": "24Mi"}}
    quiet.run_by_hand("no-memory", resources=limits)
    run = quiet.wait_for_run("no-memory", "OutOfMemory")
    assert "spec.resources.limits.memory" in run["status"]["message"]
    run = quiet.wait_for_run("no-store", "StoreUnreachable")
    assert "AWS_ENDPOINT_URL" in succeeded(run)["message"]

    # The same wish with the right credentials comes to a decision.
    quiet.run_by_hand("again")
    wait_until(lambda: quiet.namespace.get("rjob", "again").get("status", {}).get("decision"), 180)


def test_a_run_for_a_model_that_does_not_exist_waits_for_it(loop: Loop) -> None:
    loop.run_by_hand("early", modelRef={"name": "later"})
    run = loop.wait_for_run("early", "WaitingForModel", ended=False)
    assert "later does not exist" in succeeded(run)["message"]


def test_the_spec_of_a_run_is_immutable(loop: Loop) -> None:
    loop.run_by_hand("fixed")
    with pytest.raises(Exception, match="Create another RetrainJob"):
        loop.namespace.patch("rjob", "fixed", {"spec": {"search": {"maxTrials": 9}}})


def test_a_run_whose_pod_is_evicted_starts_over_and_does_not_fail(quiet: Loop) -> None:
    namespace = quiet.namespace
    quiet.capture_rows()
    quiet.run_by_hand("moved")
    quiet.wait_for_run("moved", "Training", ended=False)
    (pod,) = namespace.list("pods", "perennial.dev/run=moved")
    name = pod["metadata"]["name"]
    path = f"/api/v1/namespaces/{namespace.name}/pods/{name}/eviction"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    namespace.kubectl("create", f"--raw={path}", "-f", "-", stdin=json.dumps(eviction))

    def another() -> bool:
        run = namespace.get("rjob", "moved")
        steps = {each["type"]: each["status"] for each in run["status"]["conditions"]}
        assert steps["Succeeded"] == "Unknown", run["status"]
        return steps["Assembled"] == "Unknown"

    wait_until(another, 90)
    wait_until(
        lambda: namespace.get("rjob", "moved")["status"].get("decision"),
        180,
        lambda: namespace.get("rjob", "moved")["status"],
    )
    assert not namespace.get("job", "moved")["status"].get("failed")


@pytest.fixture(scope="module")
def queues(cluster: Cluster) -> None:
    """Kueue on the cluster."""
    if os.environ.get("PERENNIAL_KUBECONFIG"):
        pytest.skip("no image can be loaded into a cluster that is not the tests' own")
    if shutil.which("go") is None:
        pytest.skip("Kueue is built with Go, which is not on PATH")
    kueue.install(cluster, NAME)


# Kueue is built for the first one.
@pytest.mark.timeout(2400)
@pytest.mark.usefixtures("queues")
def test_runs_in_a_queue_run_one_after_the_other(quiet: Loop) -> None:
    namespace = quiet.namespace
    quiet.capture_rows()
    names = ("one", "other")
    for name in names:
        quiet.run_by_hand(name, queueName="trainings")
    for name in names:
        run = quiet.wait_for_run(name, "Queued", ended=False)
        assert "queue trainings" in succeeded(run)["message"]
    assert namespace.list("pods", "perennial.dev/run") == []

    # Room for one at a time: each asks for a tenth of a CPU.
    namespace.apply(*kueue.queue(namespace.name, "trainings", {"cpu": "150m", "memory": "1Gi"}))
    try:
        for name in names:
            wait_until(
                lambda name=name: namespace.get("rjob", name)["status"].get("decision"),
                240,
                lambda: [run.get("status") for run in quiet.runs()],
            )
    finally:
        namespace.kubectl("delete", "clusterqueue", namespace.name, "--wait=false")
    for name in names:
        told = namespace.get("rjob", name)["status"]["conditions"]
        assert {each["type"]: each["status"] for each in told} == dict.fromkeys(
            ("Assembled", "Trained", "Judged", "Succeeded"), "True"
        )
    first, second = sorted(
        (namespace.get("job", name)["status"] for name in names), key=lambda job: job["startTime"]
    )
    assert first["completionTime"] <= second["startTime"]


def _kill_operator(cluster: Cluster) -> None:
    words = ["get", "pods", "-n", SYSTEM, "-l", OPERATOR, "-o", "json"]
    (pod,) = json.loads(cluster.kubectl(*words))["items"]
    name = pod["metadata"]["name"]
    cluster.kubectl("delete", "pod", name, "-n", SYSTEM, "--grace-period=0", "--force")


def _secret(namespace: Namespace, cluster: Cluster, name: str, **changes: str) -> None:
    data = {**cluster.store_keys, "AWS_REGION": "us-east-1", **changes}
    namespace.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}
    )
