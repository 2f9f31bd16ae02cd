"""The program: a whole run against a real S3 server, and its flags."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.capturing import NOW, capture, make_plan, write_parquet
from support.s3 import KEYS, S3Server, needs_s3

from perennial_contracts.api.search import Search
from perennial_contracts.wire.bundle import Bundle
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure, Outcome
from perennial_contracts.wire.run_plan import (
    PLAN_VARIABLE,
    Model,
    Plan,
    TrainingFailure,
    TrainingResult,
)
from perennial_trainer.steps.fit import make_bundle

NOWHERE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", **KEYS}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.stop()


class Program:
    """Runs ``perennial-trainer`` as a process, with folders of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.message = root / "termination-log"

    def __call__(
        self, *arguments: str, plan: Plan | None = None, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        self.message.unlink(missing_ok=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PERENNIAL_"))}
        kept["PERENNIAL_TERMINATION_MESSAGE_PATH"] = str(self.message)
        for name in ("input", "holdout", "output"):
            kept[f"PERENNIAL_{name.upper()}"] = str(self.root / name)
        if plan is not None:
            kept[PLAN_VARIABLE] = plan.model_dump_json(exclude_none=True)
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "perennial_trainer", *arguments],
            capture_output=True,
            text=True,
            env={**kept, **environment},
            timeout=300,
        )

    def outcome(self) -> Outcome:
        found = Outcome.from_text(self.message.read_text())
        assert found is not None
        return found


@pytest.fixture
def program(tmp_path) -> Program:
    return Program(tmp_path)


@pytest.fixture(scope="module")
def champion(rows):
    search = Search(candidates=["Logistic"], maxTrials=1, metric="roc_auc")
    return make_bundle(rows(1500, 9), label="late", positive=None, search=search, lineage={})


@pytest.fixture
def deployed(server, champion, rows):
    """Environment and bucket of a server with champion, baseline and captures."""
    bucket = server.buckets / "models"
    for name, data in champion.files.items():
        path = bucket / "delays/1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    write_parquet(rows(1500, 9), bucket / "data/base.parquet")
    moved = rows(3000, 1, drift=0.7)
    if not (bucket / "captured").exists():
        capture(bucket / "captured", moved.drop(columns="late"), moved["late"].tolist())
        old = NOW.replace(month=1)  # a file from before the window is not fetched
        folder = f"captured/predictions/model=delays/version=abc/date={old:%Y-%m-%d}"
        (bucket / folder).mkdir(parents=True)
        (bucket / folder / "broken.parquet").write_bytes(b"no")
    return {"AWS_ENDPOINT_URL": server.url, **KEYS}, bucket


def plan_of(made, **changes) -> Plan:
    data = {"baseline": "s3://models/data/base.parquet", "minRows": 500}
    defaults = {
        "champion": Model(uri="s3://models/delays/1/", digest=made.digest),
        "captured": "s3://models/captured/",
        "data": data,
        "search": {"candidates": None, "maxTrials": 5},
        "gate": {"maxRegressionPermille": 900},
    }
    output = changes.pop("output", "s3://models/made")
    return make_plan(output, **{**defaults, **changes})


@needs_s3
def test_a_run_publishes_a_bundle_from_captured_files(deployed, champion, program):
    environment, bucket = deployed
    plan = plan_of(champion)
    for step in ("assemble", "train", "judge"):
        # train has neither credentials nor held-out rows.
        bare = {"PERENNIAL_HOLDOUT": "/nowhere"} if step == "train" else environment
        done = program(step, plan=plan, PYTHONHASHSEED="1", **bare)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout
    result = TrainingResult.from_text(program.message.read_text())
    assert result is not None
    assert result.decision == "Accepted"
    assert result.message.startswith("Accepted: on 600 captured rows ROC AUC ")
    assert result.data.captured == 3000
    assert result.challenger.uri == f"s3://models/made/{result.challenger.digest[7:19]}/"
    folder = bucket / "made" / result.challenger.digest[7:19]
    assert digest_of((folder / "bundle.json").read_bytes()) == result.challenger.digest
    manifest = Bundle.model_validate_json((folder / "bundle.json").read_bytes())
    for file in manifest.files:
        assert digest_of((folder / file.path).read_bytes()) == file.digest
    assert manifest.lineage["data"] == result.data.digest
    assert result.report == f"{result.challenger.uri}report.html"
    assert "Accepted" in (folder / "report.html").read_text()

    # Sets of texts have another order in another process, but the bundle has the same bytes.
    again = program("judge", plan=plan, PYTHONHASHSEED="3", **environment)
    assert again.returncode == 0, again.stderr
    second = TrainingResult.from_text(program.message.read_text())
    assert second is not None
    assert second.model_copy(update={"p95Microseconds": result.p95Microseconds}) == result


@needs_s3
def test_an_accepted_model_is_the_champion_of_the_next_run(deployed, champion, program):
    environment, _ = deployed
    plan = plan_of(champion, search={"candidates": ["HistGradientBoosting"], "maxTrials": 1})
    for step in ("assemble", "train", "judge"):
        assert program(step, plan=plan, **environment).returncode == 0
    first = TrainingResult.from_text(program.message.read_text())
    assert first is not None
    plan = plan.model_copy(update={"champion": first.challenger, "job": "delays-2"})
    for step in ("assemble", "train", "judge"):
        assert program(step, plan=plan, **environment).returncode == 0
    second = TrainingResult.from_text(program.message.read_text())
    assert second is not None
    # The same rows and settings give the same model, which has no gain.
    assert second.decision == "Rejected"
    assert (second.comparisons[0].lowPermille, second.comparisons[0].highPermille) == (0, 0)
    assert second.report == "s3://models/made/rejected/delays-2/report.html"


@needs_s3
@pytest.mark.parametrize(
    ("changes", "keys", "reason", "message"),
    [
        (
            {"champion": Model(uri="s3://models/none/", digest=f"sha256:{'0' * 64}")},
            {},
            LoadFailure.MODEL_NOT_FOUND,
            "s3://models/none/model.onnx: no such object",
        ),
        ({}, {"AWS_SECRET_ACCESS_KEY": "wrong"}, LoadFailure.ACCESS_DENIED, "access denied"),
        (
            {"data": {"baseline": "s3://models/data/none.parquet"}},
            {},
            TrainingFailure.DATA_UNREADABLE,
            "s3://models/data/none.parquet: no such object. Check data.baseline",
        ),
        (
            {"captured": "s3://no-such-bucket/captured"},
            {},
            TrainingFailure.DATA_UNREADABLE,
            "there is no such bucket",
        ),
        (
            {"model": "idle"},
            {},
            TrainingFailure.TOO_FEW_ROWS,
            "got 0 of 0 predictions of idle captured in the last 30d",
        ),
    ],
)
def test_a_missing_object_is_reported_in_the_termination_message(
    deployed, champion, program, changes, keys, reason, message
):
    environment, _ = deployed
    done = program("assemble", plan=plan_of(champion, **changes), **{**environment, **keys})
    assert done.returncode == 1
    assert program.outcome().reason == reason.value
    assert message in program.outcome().message
    assert f"perennial-trainer: {reason.value}: " in done.stderr


@needs_s3
def test_a_missing_output_bucket_fails_the_publishing(deployed, champion, program):
    environment, _ = deployed
    plan = plan_of(champion, output="s3://no-such-bucket/made")
    for step in ("assemble", "train"):
        assert program(step, plan=plan, **environment).returncode == 0
    done = program("judge", plan=plan, **environment)
    assert done.returncode == 1
    assert program.outcome().reason == TrainingFailure.PUBLISH_FAILED.value
    assert "Check output.uri" in program.outcome().message


def test_an_unreachable_store_is_retried_and_then_left_to_another_attempt(champion, program):
    begun = time.monotonic()
    done = program("assemble", "--retry-seconds", "2", plan=plan_of(champion), **NOWHERE)
    assert done.returncode == 3
    assert time.monotonic() - begun > 1
    assert program.outcome().reason == LoadFailure.STORE_UNREACHABLE.value
    assert "store unreachable; retrying (problem=s3://" in done.stdout
    assert ": connection refused. Check AWS_ENDPOINT_URL and the network, retry_sec" in done.stdout


@pytest.mark.parametrize("text", ["", "{}", '{"namespace": 1', '{"gate": {"metric": "luck"}}'])
def test_an_invalid_plan_is_reported(program, text):
    done = program("assemble", **{PLAN_VARIABLE: text})
    assert done.returncode == 1
    assert program.outcome().reason == TrainingFailure.BAD_PLAN.value
    assert program.outcome().message.startswith("PERENNIAL_PLAN: ")


def test_missing_training_rows_are_reported(champion, program):
    done = program("train", plan=plan_of(champion))
    assert done.returncode == 1
    assert program.outcome().reason == TrainingFailure.DATA_UNREADABLE.value
    assert "train.parquet: cannot be read" in program.outcome().message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["serve"], "invalid choice: 'serve'"),
        (["judge", "--retry-seconds", "soon"], "expected seconds such as 5 or 0.5, got 'soon'"),
        (["fit", "--data", "x"], "--label"),
        (
            ["fit", "--data", "x", "--label", "y", "--out", "z", "--candidates", "Oracle"],
            "--candidates: expected some of Logistic,DecisionTree",
        ),
        (
            ["fit", "--data", "x", "--label", "y", "--out", "z", "--budget-size", "5 MB"],
            "error: sizeBytes: expected a size in bytes such as 50Mi",
        ),
    ],
)
def test_invalid_usage_exits_with_the_expected_values(program, arguments, message):
    done = program(*arguments)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_fit_writes_the_bundle_of_a_table(program, rows, tmp_path, ending):
    table, path = rows(600, 1), tmp_path / f"rows.{ending}"
    if ending == "csv":
        table.to_csv(path, index=False)
    else:
        write_parquet(table, path)
    command = ["fit", "--data", str(path), "--label", "late", "--candidates", "Logistic"]
    done = program(*command, "--out", str(tmp_path / "made"))
    assert done.returncode == 0, done.stderr
    made = {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()}
    assert set(made) == {"bundle.json", "model.onnx", "profile.json"}
    assert digest_of(made["bundle.json"]) in done.stdout
    assert json.loads(made["bundle.json"])["labels"] == ["0", "1"]
    done = program(*command, "--out", str(tmp_path / "made"))
    assert done.returncode == 1
    assert "--out: expected a folder that is empty or does not exist" in done.stderr
