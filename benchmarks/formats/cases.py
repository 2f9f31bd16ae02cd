"""Models of the benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """Model of the benchmark."""

    title: str
    artifact: str
    """File or folder that its program writes."""
    program: str
    """Program that trains it, and perhaps others: a file in ``programs/``."""
    image: str = "trainer"
    """Image that converts it; the environment has the same packages."""
    trusted: bool = False
    """True if reading it runs code, so that its conversion needs ``--trusted``."""

    @property
    def key(self) -> str:
        """Name for files and resources."""
        return self.title.lower().replace(" ", "-")

    @property
    def measured(self) -> str:
        """Name of the folder for results; no artifact has this name."""
        return f"{self.key}.measured"


MORE: dict[str, Sequence[str]] = {"mlflow_tabular": ("mlflow-skinny>=3,<4",)}
"""Requirements of a program that the image lacks."""
MORE["mlflow_keras"] = MORE["mlflow_tabular"]

CASES = (
    Case("SkLearn", "forest.skops", "tabular"),
    Case("XGBoost", "xgboost.json", "tabular"),
    Case("LightGBM", "lightgbm.txt", "tabular"),
    Case("Onnx", "forest.onnx", "tabular"),
    Case("Keras", "model.keras", "keras_network", "trainer-tf"),
    Case("SavedModel", "saved", "keras_network", "trainer-tf"),
    Case("TFLite floats", "floats.tflite", "keras_network", "trainer-tf"),
    Case("TFLite int8", "int8.tflite", "keras_network", "trainer-tf"),
    Case("PyTorch dense", "dense.pt2", "torch_network", "trainer-torch", trusted=True),
    Case("PyTorch image", "image.pt2", "torch_network", "trainer-torch", trusted=True),
    Case("MLflow SkLearn", "mlflow-sklearn", "mlflow_tabular"),
    Case("MLflow XGBoost", "mlflow-xgboost", "mlflow_tabular"),
    Case("MLflow LightGBM", "mlflow-lightgbm", "mlflow_tabular"),
    Case("MLflow Keras", "mlflow-keras", "mlflow_keras", "trainer-tf"),
)
