"""Conversion of TensorFlow's SavedModel directories."""

import tempfile
from pathlib import Path

import numpy as np

from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from .converted import Arrays, Converted, ConvertOptions
from .graph import converting, finish, inputs_of
from .packages import versioned
from .tensorflow_graph import from_command, tensorflow

SIGNATURE = "serving_default"


def convert(source: Path, options: ConvertOptions) -> Converted:
    """Convert the ``serving_default`` signature of a directory.

    Raises:
        StepError: ConverterNotInstalled, ConversionFailed.
    """
    tf = tensorflow("SavedModel")
    with converting(source.name or "the SavedModel"), tempfile.TemporaryDirectory() as folder:
        loaded = tf.saved_model.load(str(source))
        if SIGNATURE not in loaded.signatures:
            have = ", ".join(loaded.signatures) or "none"
            raise StepError(
                TrainingFailure.CONVERSION_FAILED,
                f"{source.name}: expected the signature {SIGNATURE}, got {have}",
            )
        call = loaded.signatures[SIGNATURE]
        graph = from_command("--saved-model", str(source), target=Path(folder) / "model.onnx")
        data = finish(graph)
        inputs = inputs_of(graph)
        outputs = [value.name for value in graph.graph.output]
    _, arguments = call.structured_input_signature

    def answer(rows: Arrays) -> dict[str, np.ndarray]:
        given = {name: tf.constant(rows[name], arguments[name].dtype) for name in arguments}
        try:
            values = {name: value.numpy() for name, value in call(**given).items()}
        # A number outside the table of an embedding.
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(str(error)) from error
        # The function needs loaded, so this reference keeps it alive.
        assert loaded is not None
        return {name: values[name] for name in outputs}

    return Converted(
        model=data,
        format="SavedModel",
        converter=versioned("tf2onnx"),
        inputs=inputs,
        task="Tensors",
        reference=answer,
    )
