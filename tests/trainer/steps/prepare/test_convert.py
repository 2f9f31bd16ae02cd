import gzip
import importlib.util
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
import skops.io
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from support.capturing import write_parquet

from perennial_contracts.wire.bundle import Bundle
from perennial_contracts.wire.digest import digest_of, digest_of_files
from perennial_contracts.wire.outcome import Outcome
from perennial_contracts.wire.prepare_plan import Fetched, Preparation
from perennial_contracts.wire.profile import Profile
from perennial_runtime.engine.model import LoadedModel
from perennial_runtime.service import Service
from perennial_storage.errors import StorageError
from perennial_storage.fetch import fetch as fetch_bundle
from perennial_trainer.conversion import samples, sandbox
from perennial_trainer.conversion.converted import Input
from perennial_trainer.errors import StepError
from perennial_trainer.settings import PrepareSettings, read_plan
from perennial_trainer.steps.prepare import convert, fetch, publish

LOCK = "from perennial_trainer.conversion.sandbox import lock; lock()\n"


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
from perennial_trainer.conversion.sandbox import lock
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
    with pytest.raises(StorageError, match=r"spec\.model\.digest"):
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
    with pytest.raises(StepError, match=r"differs from its digest in bundle\.json"):
        publish.run(plan(tmp_path, "unused"), settings(tmp_path, "publish"))


def test_an_empty_output_is_told(tmp_path: Path) -> None:
    code, outcome, _ = step(tmp_path, plan(tmp_path, "unused"), "publish")
    assert (code, outcome and outcome.reason) == (1, "NoModel")


# --- the whole ---

formats = pytest.mark.skipif(
    importlib.util.find_spec("perennial_trainer.conversion") is None,
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


# --- what a profile is made of ---


def bundle_of(root: Path, model: Any, **more: Any) -> Path:
    """The folder that ``convert`` leaves."""
    skops.io.dump(model, root / "model.skops")
    what = plan(root, root / "model.skops", **more)
    for each in ("fetch", "convert"):
        code, _, log = step(root, what, each)
        assert code == 0, log
    return root / "output"


def counted(folder: Path, feeds: dict[str, np.ndarray]) -> Any:
    """The counters of the runtime that serves a bundle, after one request."""
    engine = LoadedModel(fetch_bundle(str(folder), None, folder.parent / "cache", 0), 1)
    service = Service("m", engine, "pod")
    names = [tensor.name for tensor in engine.outputs]
    service.monitor.record(feeds, dict(zip(names, engine.run(feeds, names), strict=True)))
    return service.monitor.counters()


@formats
def test_a_regressor_of_a_table_has_a_profile_of_features_and_predictions(tmp_path: Path) -> None:
    _, frame, _ = pipeline()
    truth = frame["wind"] * 2 + frame["delay"]
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["wind", "delay"]),
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["carrier"]),
        ]
    )
    write_parquet(frame, tmp_path / "rows.parquet")
    sample = str(tmp_path / "rows.parquet")
    folder = bundle_of(
        tmp_path, make_pipeline(columns, LinearRegression()).fit(frame, truth), sample=sample
    )
    profile = Profile.model_validate_json((folder / "profile.json").read_bytes())
    assert [feature.name for feature in profile.features] == ["wind", "delay", "carrier"]
    assert profile.score is not None
    assert sum(profile.score.counts) == profile.rows == 300
    assert profile.label is None
    feeds = {name: frame[[name]].to_numpy() for name in frame}
    counters = counted(folder, feeds)
    # The same rows fall into the same bins.
    assert counters.score == profile.score.counts
    assert counters.features == {each.name: each.counts for each in profile.features}


@formats
@pytest.mark.parametrize("kind", ["Classification", "Regression"])
def test_a_model_of_a_matrix_has_a_profile_of_its_answers(tmp_path: Path, kind: str) -> None:
    random = np.random.default_rng(0)
    table = random.normal(size=(300, 3)).astype(np.float32)
    model: Any = LinearRegression().fit(table, table.sum(axis=1))
    if kind == "Classification":
        model = LogisticRegression().fit(table, np.where(table[:, 0] > 0, "late", "early"))
    write_parquet(pd.DataFrame(table, columns=list("abc")), tmp_path / "rows.parquet")
    folder = bundle_of(tmp_path, model, sample=str(tmp_path / "rows.parquet"))
    profile = Profile.model_validate_json((folder / "profile.json").read_bytes())
    assert (profile.features, profile.rows) == ([], 300)
    assert profile.score is not None
    counters = counted(folder, {"input": table})
    assert counters.score == profile.score.counts
    assert counters.label == (profile.label.counts if profile.label else None)
    assert (profile.label is not None) is (kind == "Classification")
    assert counters.rows == 300


# --- what people give by mistake ---


def prepared(root: Path, what: Preparation) -> None:
    """What the first two steps do to the model, but for taking the network from this process."""
    given = settings(root)
    fetch.run(what, given)
    found = Fetched.model_validate_json((given.input / "fetched.json").read_bytes())
    sample = given.input / "sample.parquet"
    artifact = given.input / "artifact" / found.path
    convert.convert_artifact(what, artifact, sample if sample.exists() else None)


def refused(root: Path, uri: str | Path, **more: Any) -> StepError:
    with pytest.raises(StepError) as caught:
        prepared(root, plan(root, uri, **more))
    assert caught.value.exit_code == 1
    assert len(caught.value.message) < 1000
    return caught.value


def test_an_empty_directory_is_told_with_the_field(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    outcome = refused(tmp_path, f"{tmp_path}/raw/")
    assert outcome.reason == "ModelNotFound"
    assert "/raw/: expected a model, got no files. Check spec.model.uri" in outcome.message


@formats
@pytest.mark.parametrize(
    ("files", "reason", "message"),
    [
        (
            {"a.txt": b"tree\nversion=v4\n", "b.json": b'{"learner":{}}'},
            "UnsupportedModel",
            "spec.model.uri: expected one model, got 2: a.txt (LightGBM), b.json (XGBoost). Give "
            "the path of one of them",
        ),
        ({"m.skops": b""}, "UnsupportedModel", "got m.skops, which is empty (0 bytes): upload it"),
        ({"README.md": b"# A model"}, "UnsupportedModel", "expected a model, got README.md. Supp"),
        (
            {"m.pkl.gz": gzip.compress(pickle.dumps({"a": 1}))},
            "UntrustedModel",
            "spec.packaging.trusted: m.pkl.gz is a pickle, and to read it can run any code. Nothing"
            " was loaded. Save the model with skops.io.dump instead, or set this if you trust the "
            "file",
        ),
        (
            {"m.txt.gz": gzip.compress(b"tree\nversion=v4\n")},
            "UnsupportedModel",
            "Of gzip files only pickles can be read: upload the file uncompressed",
        ),
        ({"m.skops": b"PK\x03\x04" + b"0" * 50}, "UnsupportedModel", "expected a model, got m.sk"),
    ],
    ids=["two", "empty", "none", "packed pickle", "packed", "half a zip"],
)
def test_what_is_no_model_is_told_with_what_to_do(
    tmp_path: Path, files: dict[str, bytes], reason: str, message: str
) -> None:
    (tmp_path / "raw").mkdir()
    for name, data in files.items():
        (tmp_path / "raw" / name).write_bytes(data)
    outcome = refused(tmp_path, f"{tmp_path}/raw/")
    field = "spec.packaging.trusted" if reason == "UntrustedModel" else "spec.model.uri"
    assert (outcome.reason, outcome.message[: len(field)]) == (reason, field)
    assert message in outcome.message


@formats
def test_another_format_than_was_said_names_the_field(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"tree\nversion=v4\n")
    outcome = refused(tmp_path, tmp_path / "m", format="XGBoost")
    assert outcome.message.startswith("spec.model.format: expected XGBoost, got LightGBM")
    assert outcome.message.endswith("Set LightGBM, or Auto")


def onnx_of(initializers: list[Any], *, extent: int | None = None) -> bytes:
    """X times W, X of shape [N, extent]."""
    x = helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", extent or "C"])
    y = helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["N", "D"])
    nodes = [helper.make_node("MatMul", ["X", "W"], ["Y"])]
    graph = helper.make_graph(nodes, "g", [x], [y], initializer=initializers)
    opsets = [helper.make_opsetid("", 17)]
    data: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    return data


@formats
def test_weights_that_lie_beside_an_onnx_file_are_told_with_what_to_do(tmp_path: Path) -> None:
    weights = numpy_helper.from_array(np.ones((2, 2), np.float32), "W")
    onnx.external_data_helper.set_external_data(weights, "weights.bin")
    weights.ClearField("raw_data")
    (tmp_path / "m.bin").write_bytes(onnx_of([weights]))
    outcome = refused(tmp_path, tmp_path / "m.bin")
    assert outcome.reason == "ConversionFailed"
    assert "expected the weights in the file" in outcome.message
    assert "save_as_external_data=False" in outcome.message


@formats
def test_rows_that_are_made_up_and_refused_ask_for_a_sample(tmp_path: Path) -> None:
    weights = numpy_helper.from_array(np.ones((3, 2), np.float32), "W")
    (tmp_path / "m.bin").write_bytes(onnx_of([weights]))
    outcome = refused(tmp_path, tmp_path / "m.bin")
    assert outcome.reason == "ConversionFailed"
    assert "rejects the rows of the comparison, X [512, 8]" in outcome.message
    assert "spec.packaging.sample" in outcome.message
    # With such rows as it gets it is packaged.
    write_parquet(pd.DataFrame({"X": [[1.0, 2.0, 3.0]] * 5}), tmp_path / "rows.parquet")
    sample = str(tmp_path / "rows.parquet")
    prepared(tmp_path, plan(tmp_path, tmp_path / "m.bin", sample=sample))


@formats
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (pd.DataFrame({"X": [[1.0, 2.0]]}), "input X: expected shape [-1, 3], got [1, 2]"),
        (pd.DataFrame({"X": [[1.0], [1.0, 2.0]]}), "spec.packaging.sample: input X: expected FP32"),
        (pd.DataFrame({"a": [1.0]}), "expected the 3 columns of input X, got 1: a"),
        (pd.DataFrame({"X": []}), "expected rows, got none"),
    ],
)
def test_a_sample_that_does_not_fit_names_field_and_input(
    tmp_path: Path, rows: pd.DataFrame, message: str
) -> None:
    weights = numpy_helper.from_array(np.ones((3, 2), np.float32), "W")
    (tmp_path / "m.bin").write_bytes(onnx_of([weights], extent=3))
    write_parquet(rows, tmp_path / "rows.parquet")
    outcome = refused(tmp_path, tmp_path / "m.bin", sample=str(tmp_path / "rows.parquet"))
    assert outcome.reason == "DataUnreadable"
    assert outcome.message.startswith("spec.packaging.sample: ")
    assert message in outcome.message


@formats
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_lists_of_a_table_are_tensors_nested_or_flat(
    rows: int, height: int, width: int, flat: bool
) -> None:
    tensor = np.arange(rows * height * width, dtype=np.float32).reshape(rows, height, width)
    column = np.empty(rows, object)
    for place, row in enumerate(tensor):
        column[place] = row.reshape(-1).tolist() if flat else row.tolist()
    one = Input("x", "FP32", (-1, height, width))
    np.testing.assert_array_equal(samples._fit(one, {"x": column}), tensor)
