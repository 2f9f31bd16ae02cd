"""Models of TensorFlow convert to ONNX in an environment like trainer-tf."""

import json
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto
from support.trainers import python_of, run

MAKE = """
import sys
import numpy as np, keras, tensorflow as tf
keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.Input((8, 8, 1), name="image"), keras.layers.Conv2D(4, 3, activation="relu"),
    keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")])
model.save(sys.argv[1] + "/model.keras")
model.export(sys.argv[1] + "/saved", verbose=False)
made = tf.lite.TFLiteConverter.from_saved_model(sys.argv[1] + "/saved").convert()
open(sys.argv[1] + "/model.tflite", "wb").write(made)
def rows():
    for _ in range(100): yield [np.random.rand(1, 8, 8, 1).astype("float32")]
for name, element in (("int8", tf.float32), ("int8_io", tf.int8)):
    converter = tf.lite.TFLiteConverter.from_saved_model(sys.argv[1] + "/saved")
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = rows
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = element
    open(f"{sys.argv[1]}/{name}.tflite", "wb").write(converter.convert())
words = keras.Sequential([
    keras.Input((7,), dtype="int32", name="words"), keras.layers.Embedding(50, 4),
    keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(2)])
words.save(sys.argv[1] + "/words.keras")
words.export(sys.argv[1] + "/words", verbose=False)
"""


# The first test downloads TensorFlow.
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="session")
def python() -> Path:
    return python_of("trainer-tf")


@pytest.fixture(scope="session")
def models(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small network for images in each format."""
    folder = tmp_path_factory.mktemp("tensorflow")
    run(python, "-c", MAKE, folder)
    return folder


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("model.keras", "Keras"), ("saved", "SavedModel"), ("model.tflite", "TFLite")),
        # Most of the generated whole numbers are outside its table.
        *(("words.keras", "Keras"), ("words", "SavedModel")),
    ],
)
def test_a_network_agrees_with_onnx(
    python: Path, models: Path, tmp_path: Path, name: str, kind: str
) -> None:
    run(python, "-m", "perennial_trainer", "convert", models / name, "--out", tmp_path)
    facts = json.loads((tmp_path / "conversion.json").read_text())
    assert facts["format"] == kind
    assert facts["rows"] > 0
    assert facts["max_difference"] < 1e-4
    assert (tmp_path / "model.onnx").stat().st_size > 0


@pytest.mark.parametrize(
    ("name", "step"),
    # The softmax of int8 has steps of 1/256, as floats or as integers.
    [("int8.tflite", 1 / 256), ("int8_io.tflite", 2)],
)
def test_an_int8_network_stays_int8_and_is_at_most_a_step_off(
    python: Path, models: Path, tmp_path: Path, name: str, step: float
) -> None:
    run(python, "-m", "perennial_trainer", "convert", models / name, "--out", tmp_path)
    facts = json.loads((tmp_path / "conversion.json").read_text())
    assert facts["format"] == "TFLite"
    assert facts["rows"] > 0
    assert facts["max_difference"] <= step * (1 + 1e-6)
    graph = onnx.load(tmp_path / "model.onnx").graph
    kinds = [node.op_type for node in graph.node]
    assert "QuantizeLinear" in kinds
    assert "DequantizeLinear" in kinds
    element = TensorProto.INT8 if name == "int8_io.tflite" else TensorProto.FLOAT
    for value in (*graph.input, *graph.output):
        assert value.type.tensor_type.elem_type == element
