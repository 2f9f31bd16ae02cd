"""Which models there are."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One model."""

    title: str
    artifact: str
    """The file, or the folder, that its program leaves."""
    program: str
    """Trains it, and others: a file of ``programs/``."""
    image: str = "trainer"
    """The image that converts it; it is trained and converted in an environment with the same."""
    trusted: bool = False
    """Whether it may run code as it is read, so that it is converted only where that is said."""

    @property
    def key(self) -> str:
        """Of files and resources."""
        return self.title.lower().replace(" ", "-")

    @property
    def measured(self) -> str:
        """The folder of what the measurement leaves; no artifact is called so."""
        return f"{self.key}.measured"


MORE: dict[str, Sequence[str]] = {"mlflow_tabular": ("mlflow-skinny>=3,<4",)}
"""What a program needs that the image has not."""
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
