"""Models of TensorFlow become ONNX, in an environment of what the image trainer-tf has."""

import json
from pathlib import Path

import pytest
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
words = keras.Sequential([
    keras.Input((7,), dtype="int32", name="words"), keras.layers.Embedding(50, 4),
    keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(2)])
words.save(sys.argv[1] + "/words.keras")
words.export(sys.argv[1] + "/words", verbose=False)
"""


# TensorFlow is fetched for the first one.
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="session")
def python() -> Path:
    return python_of("trainer-tf")


@pytest.fixture(scope="session")
def models(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network for images, in each format."""
    folder = tmp_path_factory.mktemp("tensorflow")
    run(python, "-c", MAKE, folder)
    return folder


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("model.keras", "Keras"), ("saved", "SavedModel"), ("model.tflite", "TFLite")),
        # Of the whole numbers that are drawn most are no place in its table.
        *(("words.keras", "Keras"), ("words", "SavedModel")),
    ],
)
def test_a_network_says_the_same_as_onnx(
    python: Path, models: Path, tmp_path: Path, name: str, kind: str
) -> None:
    run(python, "-m", "perennial_trainer", "convert", models / name, "--out", tmp_path)
    facts = json.loads((tmp_path / "conversion.json").read_text())
    assert facts["format"] == kind
    assert facts["rows"] > 0
    assert facts["max_difference"] < 1e-4
    assert (tmp_path / "model.onnx").stat().st_size > 0
