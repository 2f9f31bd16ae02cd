"""Dense network for handwritten digits, as MLflow's flavour for Keras saves it."""

import sys
from pathlib import Path

import keras
import mlflow
from sklearn.datasets import load_digits

folder = Path(sys.argv[1])
keras.utils.set_random_seed(0)
x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32")
model = keras.Sequential(
    [
        keras.Input((64,), name="pixels"),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10, activation="softmax", name="digit"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, epochs=5, verbose=0)
mlflow.tensorflow.save_model(model, folder / "mlflow-keras")
