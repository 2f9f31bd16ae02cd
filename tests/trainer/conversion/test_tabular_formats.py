"""Models of scikit-learn, XGBoost and LightGBM convert to ONNX, or are rejected."""

import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
from onnx import TensorProto, helper, numpy_helper
from sklearn import ensemble, tree
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from perennial_contracts.wire.names import PREDICTION
from perennial_trainer import cli
from perennial_trainer import conversion as formats
from perennial_trainer.conversion import ConvertOptions, scikit_learn
from perennial_trainer.errors import StepError
from perennial_trainer.model.sessions import open_session

RANDOM = np.random.default_rng(0)
ROWS = pd.DataFrame(
    {"wind speed": RANDOM.normal(size=300), "carrier": RANDOM.choice(["AA", "UA"], 300)}
)
LATE = np.where(ROWS["wind speed"] + (ROWS["carrier"] == "AA") > 0.4, "late", "fine")


def pipeline(rows: pd.DataFrame = ROWS) -> Any:
    encode = OneHotEncoder(handle_unknown="ignore")
    parts = [("t", encode, ["carrier"]), ("n", StandardScaler(), ["wind speed"])]
    return make_pipeline(ColumnTransformer(parts), LogisticRegression()).fit(rows, LATE)


def test_a_skops_pipeline_gets_an_input_for_each_column_and_agrees(tmp_path: Path) -> None:
    skops.io.dump(pipeline(), tmp_path / "model.skops")
    out = tmp_path / "out"
    assert cli.main(["convert", str(tmp_path / "model.skops"), "--out", str(out)]) == 0
    facts = json.loads((out / "conversion.json").read_text())
    assert facts["format"] == "SkLearn"
    assert facts["agreement"] == 1.0
    assert facts["max_difference"] < 1e-5
    converted = formats.convert(tmp_path / "model.skops", None, ConvertOptions())
    assert [tensor.name for tensor in converted.inputs] == ["wind speed", "carrier"]
    assert converted.model == (out / "model.onnx").read_bytes()


def mlflow_directory(folder: Path, name: str, **flavor: str) -> Path:
    """Write the MLmodel file of ``mlflow.sklearn.save_model`` into a directory."""
    folder.mkdir()
    sklearn = {"pickled_model": name, "sklearn_version": "1.9.1", **flavor}
    flavors = {"python_function": {"loader_module": "mlflow.sklearn"}, "sklearn": sklearn}
    (folder / "MLmodel").write_text(json.dumps({"flavors": flavors}))
    return folder


def test_the_skops_file_of_an_mlflow_directory_is_converted(tmp_path: Path) -> None:
    folder = mlflow_directory(tmp_path / "m", "model.skops", serialization_format="skops")
    skops.io.dump(pipeline(), folder / "model.skops")
    converted = formats.convert(folder, None, ConvertOptions())
    assert converted.format == "MLflow"
    facts = formats.check(converted, formats.draw(converted, None))
    assert (facts.format, facts.agreement) == ("MLflow", 1.0)


def test_the_pickle_of_an_mlflow_directory_is_refused_unless_it_is_trusted(tmp_path: Path) -> None:
    folder = mlflow_directory(tmp_path / "m", "model.pkl", serialization_format="cloudpickle")
    (folder / "model.pkl").write_bytes(pickle.dumps(pipeline()))
    with pytest.raises(StepError, match="is a pickle") as caught:
        formats.convert(folder, None, ConvertOptions())
    assert caught.value.reason == "UntrustedModel"
    assert formats.convert(folder, "MLflow", ConvertOptions(trusted=True)).format == "MLflow"


class Payload:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (Path(self.path),))


def test_a_pickle_with_a_payload_is_refused_and_nothing_of_it_runs(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Payload(str(touched))))
    arguments = ["convert", str(tmp_path / "model.pkl"), "--out", str(tmp_path / "out")]
    assert cli.main(arguments) == 1
    assert not touched.exists()
    assert not (tmp_path / "out").exists()


def test_a_pickle_converts_if_it_is_trusted(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(pickle.dumps(pipeline()))
    with pytest.raises(StepError, match=r"skops\.io\.dump"):
        formats.convert(tmp_path / "m", None, ConvertOptions())
    converted = formats.convert(tmp_path / "m", None, ConvertOptions(trusted=True))
    assert formats.check(converted, formats.draw(converted)).agreement == 1.0


def test_categories_of_hist_gradient_boosting_are_refused() -> None:
    rows = np.column_stack([RANDOM.integers(0, 4, 300), RANDOM.normal(size=300)])
    model = HistGradientBoostingClassifier(max_iter=3, categorical_features=[0]).fit(rows, LATE)
    with pytest.raises(StepError, match="Put an OrdinalEncoder or OneHotEncoder before it"):
        scikit_learn.convert_model(model)


@pytest.mark.parametrize("name", ["DecisionTree", "ExtraTrees", "RandomForest"])
@pytest.mark.parametrize("task", ["Classifier", "Regressor"])
@pytest.mark.parametrize("gaps", [0.0, 0.2], ids=["without NaN", "with NaN"])
def test_trees_send_missing_values_in_the_direction_of_the_original(
    name: str, task: str, gaps: float
) -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(600, 3)).astype(np.float32)
    late = ((rows[:, 0] > 0) ^ (rows[:, 1] > 0.3)).astype(int)
    rows[random.random(rows.shape) < gaps] = np.nan
    module = tree if name == "DecisionTree" else ensemble
    model = getattr(module, name + task)(max_depth=6, random_state=0).fit(rows, late)
    converted = scikit_learn.convert_model(model)
    samples = formats.draw(converted)
    assert any(np.isnan(values).any() for drawn in samples for values in drawn.values())
    assert formats.check(converted, samples).max_difference < 1e-4


def test_missing_texts_among_the_categories_are_refused() -> None:
    rows = ROWS.astype({"carrier": object})
    rows.loc[::5, "carrier"] = None
    with pytest.raises(StepError, match='with "" before fitting'):
        scikit_learn.convert_model(pipeline(rows))


def test_a_linear_svc_gives_scores_instead_of_probabilities() -> None:
    model = make_pipeline(StandardScaler(), LinearSVC()).fit(ROWS[["wind speed"]], LATE)
    converted = scikit_learn.convert_model(model)
    assert formats.check(converted, formats.draw(converted)).agreement == 1.0


def test_a_model_with_other_outputs_is_rejected_with_the_numbers() -> None:
    good = scikit_learn.convert_model(pipeline())
    other = make_pipeline(*(step for _, step in pipeline().steps))
    bad = scikit_learn.convert_model(other.fit(ROWS, LATE[::-1]))
    mixed = dataclasses.replace(good, reference=bad.reference)
    with pytest.raises(StepError, match=r"\d+ of \d+ labels agree") as caught:
        formats.check(mixed, formats.draw(good))
    assert caught.value.reason == "ParityFailed"


def test_a_tie_is_neither_an_error_nor_an_agreement() -> None:
    converted = scikit_learn.convert_model(pipeline())
    rows = formats.draw(converted)[0]
    assert converted.reference is not None
    expected = converted.reference(rows)
    count = len(expected["label"])
    even = np.full((count, 2), 0.5)
    tied = helper.make_graph(
        [
            helper.make_node("Constant", [], ["label"], value_strings=["late"] * count),
            helper.make_node(
                "Constant", [], ["probabilities"], value=numpy_helper.from_array(even)
            ),
        ],
        "tied",
        [
            helper.make_tensor_value_info("wind speed", TensorProto.FLOAT, [None, 1]),
            helper.make_tensor_value_info("carrier", TensorProto.STRING, [None, 1]),
        ],
        [
            helper.make_tensor_value_info("label", TensorProto.STRING, [count]),
            helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, [count, 2]),
        ],
    )
    model = helper.make_model(tied, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    same = dataclasses.replace(
        converted,
        model=model.SerializeToString(),
        reference=lambda rows: {"label": expected["label"], "probabilities": even},
    )
    facts = formats.check(same, [rows])
    late = int((expected["label"] == "late").sum())
    assert 0 < late < count
    assert facts.agreement == late / count
    assert facts.ties == count - late


@pytest.mark.parametrize("name", ["m.json", "m.ubj", "m.txt"])
def test_files_of_the_boosters_agree_on_missing_values_too(tmp_path: Path, name: str) -> None:
    table = pd.DataFrame({"wind speed": ROWS["wind speed"], "hour": RANDOM.integers(0, 24, 300)})
    late = (LATE == "late").astype(int)
    if name == "m.txt":
        lightgbm = pytest.importorskip("lightgbm")
        data = lightgbm.Dataset(table.rename(columns={"wind speed": "wind"}), late)
        lightgbm.train({"objective": "binary", "verbose": -1}, data, 5).save_model(tmp_path / name)
    else:
        xgboost = pytest.importorskip("xgboost")
        xgboost.XGBClassifier(n_estimators=5).fit(table, late).save_model(tmp_path / name)
    converted = formats.convert(tmp_path / name, None, ConvertOptions())
    samples = formats.draw(converted)
    assert len(converted.inputs) == 2
    assert any(np.isnan(values).any() for rows in samples for values in rows.values())
    assert formats.check(converted, samples).agreement == 1.0


def test_an_expected_format_that_differs_from_the_content_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"tree\nversion=v4\n")
    with pytest.raises(StepError, match="expected Keras, got LightGBM"):
        formats.convert(tmp_path / "m", "Keras", ConvertOptions())


def test_a_missing_converter_names_the_image_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"\x1c\0\0\0TFL3" + bytes(20))
    with pytest.raises(StepError, match="perennial-trainer-tf") as caught:
        formats.convert(tmp_path / "m", None, ConvertOptions())
    assert caught.value.reason == "ConverterNotInstalled"


@pytest.mark.parametrize("kind", ["sklearn", "xgboost", "lightgbm"])
def test_a_regressor_has_the_output_of_a_regressor_of_a_run(tmp_path: Path, kind: str) -> None:
    # The server and the judge recognise a regressor by its only output.
    rows = RANDOM.normal(size=(200, 3)).astype(np.float32)
    truth = rows.sum(axis=1)
    if kind == "sklearn":
        path = tmp_path / "model.skops"
        skops.io.dump(tree.DecisionTreeRegressor(max_depth=3).fit(rows, truth), path)
    elif kind == "xgboost":
        path = tmp_path / "model.ubj"
        xgboost.XGBRegressor(n_estimators=5).fit(rows, truth).save_model(path)
    else:
        path = tmp_path / "model.txt"
        lightgbm.LGBMRegressor(n_estimators=5, verbose=-1).fit(rows, truth).booster_.save_model(
            path
        )
    converted = formats.convert(path, None, ConvertOptions())
    assert converted.task == "Regression"
    formats.check(converted, formats.draw(converted, None))
    (output,) = open_session(converted.model).get_outputs()
    assert output.name == PREDICTION


def test_a_file_of_xgboost_whose_training_was_continued_has_all_its_trees(tmp_path: Path) -> None:
    rows = RANDOM.normal(size=(300, 3)).astype(np.float32)
    truth = (rows.sum(axis=1) > 0).astype(int)
    first = xgboost.XGBClassifier(n_estimators=5).fit(rows, truth)
    second = xgboost.XGBClassifier(n_estimators=5).fit(rows, truth, xgb_model=first.get_booster())
    second.save_model(tmp_path / "model.json")
    converted = formats.convert(tmp_path / "model.json", None, ConvertOptions())
    assert formats.check(converted, formats.draw(converted, None)).agreement == 1.0
