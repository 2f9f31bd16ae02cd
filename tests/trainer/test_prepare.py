import importlib.util
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from support.capturing import write_parquet

from perennial_contracts.bundle import Bundle
from perennial_contracts.digest import digest_of, digest_of_files
from perennial_contracts.outcome import Outcome
from perennial_contracts.preparation import Fetched, Preparation
from perennial_trainer.errors import StepError
from perennial_trainer.prepare import fetch, publish, sandbox
from perennial_trainer.prepare.settings import PrepareSettings
from perennial_trainer.step_options import read_plan

LOCK = "from perennial_trainer.prepare.sandbox import lock; lock()\n"


def settings(root: Path, step: str = "fetch") -> PrepareSettings:
    for name in ("input", "output"):
        (root / name).mkdir(exist_ok=True)
    return PrepareSettings(step, root / "input", root / "output", None, retry_seconds=0.1)


def plan(root: Path, uri: str | Path, **more: Any) -> Preparation:
    return Preparation(name="default/delays", uri=str(uri), output=str(root / "store"), **more)


def step(root: Path, what: Preparation, name: str) -> tuple[int, Outcome | None, str]:
    """A step as the Job runs it, in a process of its own."""
    message = root / "message"
    message.unlink(missing_ok=True)
    settings(root)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "perennial_trainer", "prepare", "--step", name),
            *("--input", root / "input", "--output", root / "output"),
            *("--termination-message-path", message),
        ],
        env={**os.environ, "PERENNIAL_PLAN": what.model_dump_json()},
        capture_output=True,
        text=True,
        check=False,
    )
    said = Outcome.from_text(message.read_text()) if message.exists() else None
    return done.returncode, said, done.stderr + done.stdout


def in_process(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", LOCK + code], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or done.stderr.strip() or str(done.returncode)


def put_bundle(folder: Path) -> bytes:
    """What ``convert`` leaves; its bundle.json."""
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(b"a model")
    card = {"name": "default/delays", "kind": "SkLearn", "lineage": {"artifact": "sha256:1"}}
    (folder / "modelcard.json").write_text(json.dumps(card))
    (folder / "report.html").write_text("<p>")
    file = {"path": "model.onnx", "digest": digest_of(b"a model"), "size": 7}
    manifest = Bundle.model_validate({"files": [file]}).to_bytes()
    (folder / "bundle.json").write_bytes(manifest)
    return manifest


# --- the sandbox ---


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"])
def test_no_socket_to_anywhere_can_be_made(family: str) -> None:
    code = f"""
import socket
try: socket.socket(socket.{family}, socket.SOCK_DGRAM)
except PermissionError as error: print(error.errno)
"""
    assert in_process(code) == "1"


def test_children_and_threads_that_were_there_before_are_locked_too() -> None:
    code = """
import socket, subprocess, sys, threading
from perennial_trainer.prepare.sandbox import lock
go, said = threading.Event(), []
def old():
    go.wait()
    try: socket.socket(); said.append("open")
    except PermissionError: said.append("locked")
thread = threading.Thread(target=old); thread.start()
lock(); go.set(); thread.join()
child = "import socket\\ntry: socket.socket(); print('open')"
child += "\\nexcept PermissionError: print('locked')"
done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True)
print(*said, done.stdout.strip())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["locked", "locked"], done.stderr


def test_rings_are_refused_and_what_stays_on_this_machine_is_not() -> None:
    code = """
import ctypes, errno, socket
libc = ctypes.CDLL(None, use_errno=True)
ring = libc.syscall(425, 1, ctypes.create_string_buffer(120))
print(ring, errno.errorcode[ctypes.get_errno()], len(socket.socketpair()))
socket.socket(socket.AF_UNIX).close()
"""
    assert in_process(code) == "-1 EPERM 2"


def test_the_filter_is_for_its_own_architecture() -> None:
    programs = [sandbox.program(machine) for machine in sandbox.MACHINES.values()]
    assert len(set(programs)) == 2
    assert all(len(program) == 8 * 13 for program in programs)


# --- fetch ---


def test_a_file_is_fetched_and_known_by_its_own_digest(tmp_path: Path) -> None:
    (tmp_path / "model.skops").write_bytes(b"a model")
    fetch.run(plan(tmp_path, tmp_path / "model.skops"), settings(tmp_path))
    found = Fetched.model_validate_json((tmp_path / "input" / "fetched.json").read_bytes())
    assert found == Fetched(digest=digest_of(b"a model"), path="model.skops")
    assert (tmp_path / "input" / "artifact" / "model.skops").read_bytes() == b"a model"


def test_a_directory_is_known_by_the_digest_that_sha256sum_tells(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    for name in ("saved_model.pb", "variables/variables.index", "variables/a b.data"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    fetch.run(plan(tmp_path, f"{folder}/"), settings(tmp_path))
    found = Fetched.model_validate_json((tmp_path / "input" / "fetched.json").read_bytes())
    command = "find . -type f | sed s:^./:: | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum"
    told = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)
    assert found.digest == f"sha256:{told.stdout.split()[0]}"
    assert found.path == "."
    assert digest_of_files({"a": digest_of(b"a")}) != digest_of_files({"b": digest_of(b"a")})


def test_other_bytes_than_those_that_are_pinned_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.skops").write_bytes(b"a model")
    pinned = plan(tmp_path, tmp_path / "model.skops", digest="sha256:" + "0" * 64)
    with pytest.raises(StepError, match=r"spec\.model\.digest"):
        fetch.run(pinned, settings(tmp_path))


def test_a_missing_artifact_names_the_field(tmp_path: Path) -> None:
    code, outcome, _ = step(tmp_path, plan(tmp_path, tmp_path / "none.skops"), "fetch")
    assert code == 1
    assert outcome
    assert outcome.reason == "ModelNotFound"
    assert "spec.model.uri" in outcome.message


def test_a_plan_that_is_missing_is_told() -> None:
    with pytest.raises(StepError, match="PERENNIAL_PLAN"):
        read_plan(Preparation, {})


# --- publish ---


def test_a_bundle_is_published_under_its_digest_and_a_second_time_changes_nothing(
    tmp_path: Path,
) -> None:
    manifest = put_bundle(tmp_path / "output")
    what = plan(tmp_path, "unused")
    first = publish.run(what, settings(tmp_path, "publish"))
    folder = tmp_path / "store" / digest_of(manifest)[7:19]
    assert first.digest == digest_of(manifest)
    assert first.uri == f"{folder}/"
    assert first.report == f"{folder}/report.html"
    assert (first.artifact, first.format) == ("sha256:1", "SkLearn")
    times = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert publish.run(what, settings(tmp_path, "publish")) == first
    assert times == {path: path.stat().st_mtime_ns for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["model.onnx", "modelcard.json", "report.html", "bundle.json"])
def test_a_link_that_the_conversion_left_is_not_followed(tmp_path: Path, name: str) -> None:
    put_bundle(tmp_path / "output")
    secret = tmp_path / "secret"
    (tmp_path / "output" / name).rename(secret)
    (tmp_path / "output" / name).symlink_to(secret)
    with pytest.raises(StepError, match="is a link"):
        publish.run(plan(tmp_path, "unused"), settings(tmp_path, "publish"))
    assert not (tmp_path / "store").exists()


def test_a_bundle_whose_model_is_another_is_not_published(tmp_path: Path) -> None:
    put_bundle(tmp_path / "output")
    (tmp_path / "output" / "model.onnx").write_bytes(b"b model")
    with pytest.raises(StepError, match=r"bundle\.json says"):
        publish.run(plan(tmp_path, "unused"), settings(tmp_path, "publish"))


def test_an_empty_output_is_told(tmp_path: Path) -> None:
    code, outcome, _ = step(tmp_path, plan(tmp_path, "unused"), "publish")
    assert (code, outcome and outcome.reason) == (1, "NoModel")


# --- the whole ---

formats = pytest.mark.skipif(
    importlib.util.find_spec("perennial_trainer.formats") is None,
    reason="the converters are not there",
)


def pipeline() -> tuple[Any, pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "wind": random.normal(size=300).astype(np.float32),
            "delay": random.normal(size=300).astype(np.float32),
            "carrier": random.choice(["AA", "UA"], 300).astype(object),
        }
    )
    truth = (frame["wind"] + (frame["carrier"] == "AA") > 0).astype(int).to_numpy()
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["wind", "delay"]),
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["carrier"]),
        ]
    )
    return make_pipeline(columns, LogisticRegression()).fit(frame, truth), frame, truth


class _Payload:
    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.proof}",)


@formats
def test_a_pipeline_becomes_a_bundle_and_twice_the_same_one(tmp_path: Path) -> None:
    model, frame, _ = pipeline()
    skops.io.dump(model, tmp_path / "model.skops")
    write_parquet(frame, tmp_path / "rows.parquet")
    what = plan(tmp_path, tmp_path / "model.skops", sample=str(tmp_path / "rows.parquet"))
    digests = set()
    for name in ("one", "two"):
        root = tmp_path / name
        root.mkdir()
        for each in ("fetch", "convert", "publish"):
            code, outcome, log = step(root, what, each)
            assert code == 0, log
        assert outcome
        digests.add(outcome.digest)
        assert outcome.format == "SkLearn"
    assert len(digests) == 1
    folder = Path(outcome.uri or "")
    assert {path.name for path in folder.iterdir()} == {
        "bundle.json", "model.onnx", "modelcard.json", "profile.json", "report.html",
    }  # fmt: skip
    bundle = Bundle.model_validate_json((folder / "bundle.json").read_bytes())
    assert [tensor.name for tensor in bundle.inputs] == ["wind", "delay", "carrier"]
    assert bundle.labels == ["0", "1"]


@formats
def test_a_pickle_is_refused_and_nothing_in_it_is_run(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(_Payload(proof)))
    what = plan(tmp_path, tmp_path / "model.pkl")
    assert step(tmp_path, what, "fetch")[0] == 0
    code, outcome, _ = step(tmp_path, what, "convert")
    assert (code, outcome and outcome.reason) == (1, "UntrustedModel")
    assert not proof.exists()
    assert not list((tmp_path / "output").iterdir())
