"""What a person sees who starts the server on a terminal."""

import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .settings import Settings

if TYPE_CHECKING:
    from .signature import TensorSpec

MANY_ELEMENTS = 40
"""From here on an example request would fill the screen."""


def welcome(settings: Settings, port: int, inputs: "Sequence[TensorSpec]") -> str:
    """The server's address, and a command that asks the model something."""
    from .signature import is_tabular

    host = "localhost" if settings.host in ("0.0.0.0", "::") else settings.host
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    model = f"{url}/v2/models/{settings.name}"
    samples = [(tensor, tensor.sample()) for tensor in inputs]
    if sum(sample.size for _, sample in samples) > MANY_ELEMENTS:
        return f"{settings.name} is served at {url}\nTry:  curl {model}\n"
    request: dict[str, object]
    if is_tabular(inputs):
        verb = "predict"
        row = {tensor.name: sample.reshape(-1).tolist()[0] for tensor, sample in samples}
        request = {"instances": [row]}
    else:
        verb = "infer"
        request = {
            "inputs": [
                {
                    "name": tensor.name,
                    "datatype": tensor.datatype,
                    "shape": list(sample.shape),
                    "data": sample.reshape(-1).tolist(),
                }
                for tensor, sample in samples
            ]
        }
    data = shlex.quote(json.dumps(request))
    return f"{settings.name} is served at {url}\nTry:  curl {model}/{verb} -d {data}\n"
