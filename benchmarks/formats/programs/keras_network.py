"""Convolutional network for digits (8 x 8), as Keras and TensorFlow save it."""

import sys
from pathlib import Path

import keras
import tensorflow as tf
from sklearn.datasets import load_digits

folder = Path(sys.argv[1])
keras.utils.set_random_seed(0)
x, y = load_digits(return_X_y=True)
x = (x / 16).reshape(-1, 8, 8, 1).astype("float32")
model = keras.Sequential(
    [
        keras.Input((8, 8, 1), name="image"),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Flatten(),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10, activation="softmax", name="digit"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, epochs=5, verbose=0)
model.save(folder / "model.keras")
model.export(folder / "saved", verbose=False)


def lite() -> tf.lite.TFLiteConverter:
    return tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved"))


(folder / "floats.tflite").write_bytes(lite().convert())
# Integers from input to output.
converter = lite()
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: ([row[None]] for row in x[:200])
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.int8
(folder / "int8.tflite").write_bytes(converter.convert())
