import json
import shlex

from perennial_runtime.banner import startup_banner
from perennial_runtime.settings import RuntimeSettings, parse
from perennial_runtime.signature import TensorSpec


def settings(host: str = "0.0.0.0") -> RuntimeSettings:
    return parse(["serve", "m", "--name", "iris", "--host", host], {})


def test_the_banner_has_the_address_and_a_request_that_fits_the_model():
    inputs = [TensorSpec("X", "FP32", (-1, 2)), TensorSpec("carrier", "BYTES", (-1, 1))]
    first, second = startup_banner(settings(), 8080, inputs).splitlines()
    assert first == "iris is served at http://localhost:8080"
    command = shlex.split(second.removeprefix("Try:"))
    assert command[:3] == ["curl", "http://localhost:8080/v2/models/iris/infer", "-d"]
    tensors = json.loads(command[3])["inputs"]
    assert [tensor["data"] for tensor in tensors] == [[0.0, 0.0], [""]]


def test_a_model_of_rows_gets_an_example_of_rows():
    inputs = [TensorSpec("X", "FP32", (-1,)), TensorSpec("o'clock", "BYTES", (-1, 1))]
    command = shlex.split(
        startup_banner(settings(), 8080, inputs).splitlines()[1].removeprefix("Try:")
    )
    assert command[:3] == ["curl", "http://localhost:8080/v2/models/iris/predict", "-d"]
    assert json.loads(command[3]) == {"instances": [{"X": 0.0, "o'clock": ""}]}


def test_a_long_example_is_left_out():
    text = startup_banner(settings("::1"), 80, [TensorSpec("image", "FP32", (-1, 3, 224, 224))])
    assert "curl http://[::1]:80/v2/models/iris\n" in text
