"""The stages of prepare together, and the errors of its second one."""

import gzip
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
import skops.io
from onnx import TensorProto, helper, numpy_helper
from support.capturing import write_parquet
from support.preparing import pipeline, plan, run_stage, settings

from perennial_contracts.wire.bundle import Bundle
from perennial_contracts.wire.prepare_plan import Fetched, Preparation
from perennial_trainer.errors import StepError
from perennial_trainer.steps.prepare import convert, fetch


class _Payload:
    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.proof}",)


def test_a_pipeline_becomes_the_same_bundle_twice(tmp_path: Path) -> None:
    model, frame, _ = pipeline()
    skops.io.dump(model, tmp_path / "model.skops")
    write_parquet(frame, tmp_path / "rows.parquet")
    what = plan(tmp_path, tmp_path / "model.skops", sample=str(tmp_path / "rows.parquet"))
    digests = set()
    for name in ("one", "two"):
        root = tmp_path / name
        root.mkdir()
        for each in ("fetch", "convert", "publish"):
            code, outcome, log = run_stage(root, what, each)
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


def test_a_pickle_is_rejected_and_not_run(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(_Payload(proof)))
    what = plan(tmp_path, tmp_path / "model.pkl")
    assert run_stage(tmp_path, what, "fetch")[0] == 0
    code, outcome, _ = run_stage(tmp_path, what, "convert")
    assert (code, outcome and outcome.reason) == (1, "UntrustedModel")
    assert not proof.exists()
    assert not list((tmp_path / "output").iterdir())


def prepared(root: Path, what: Preparation) -> None:
    """Run the first two stages in this process, which keeps its network."""
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


def test_an_empty_directory_is_reported_with_the_field(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    outcome = refused(tmp_path, f"{tmp_path}/raw/")
    assert outcome.reason == "ModelNotFound"
    assert "/raw/: expected a model, got no files. Check spec.model.uri" in outcome.message


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
            "spec.packaging.trusted: m.pkl.gz is a pickle, and reading it can run any code. Nothing"
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
def test_files_that_are_no_model_are_reported_with_the_fix(
    tmp_path: Path, files: dict[str, bytes], reason: str, message: str
) -> None:
    (tmp_path / "raw").mkdir()
    for name, data in files.items():
        (tmp_path / "raw" / name).write_bytes(data)
    outcome = refused(tmp_path, f"{tmp_path}/raw/")
    field = "spec.packaging.trusted" if reason == "UntrustedModel" else "spec.model.uri"
    assert (outcome.reason, outcome.message[: len(field)]) == (reason, field)
    assert message in outcome.message


def test_a_wrong_format_is_reported_with_the_field(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"tree\nversion=v4\n")
    outcome = refused(tmp_path, tmp_path / "m", format="XGBoost")
    assert outcome.message.startswith("spec.model.format: expected XGBoost, got LightGBM")
    assert outcome.message.endswith("Set LightGBM, or Auto")


def onnx_of(initializers: list[Any], *, extent: int | None = None) -> bytes:
    """Return a model of X times W, X of shape [N, extent]."""
    x = helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", extent or "C"])
    y = helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["N", "D"])
    nodes = [helper.make_node("MatMul", ["X", "W"], ["Y"])]
    graph = helper.make_graph(nodes, "g", [x], [y], initializer=initializers)
    opsets = [helper.make_opsetid("", 17)]
    data: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    return data


def test_external_weights_of_an_onnx_file_are_reported_with_the_fix(tmp_path: Path) -> None:
    weights = numpy_helper.from_array(np.ones((2, 2), np.float32), "W")
    onnx.external_data_helper.set_external_data(weights, "weights.bin")
    weights.ClearField("raw_data")
    (tmp_path / "m.bin").write_bytes(onnx_of([weights]))
    outcome = refused(tmp_path, tmp_path / "m.bin")
    assert outcome.reason == "ConversionFailed"
    assert "expected the weights in the file" in outcome.message
    assert "save_as_external_data=False" in outcome.message


def test_generated_rows_that_the_model_rejects_need_a_sample(tmp_path: Path) -> None:
    weights = numpy_helper.from_array(np.ones((3, 2), np.float32), "W")
    (tmp_path / "m.bin").write_bytes(onnx_of([weights]))
    outcome = refused(tmp_path, tmp_path / "m.bin")
    assert outcome.reason == "ConversionFailed"
    assert "rejects the rows of the comparison, X [512, 8]" in outcome.message
    assert "spec.packaging.sample" in outcome.message
    # With rows that the model accepts, it is prepared.
    write_parquet(pd.DataFrame({"X": [[1.0, 2.0, 3.0]] * 5}), tmp_path / "rows.parquet")
    sample = str(tmp_path / "rows.parquet")
    prepared(tmp_path, plan(tmp_path, tmp_path / "m.bin", sample=sample))


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
