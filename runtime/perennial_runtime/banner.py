"""The text on a terminal after the model is loaded: address and example request."""

import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .settings import RuntimeSettings

if TYPE_CHECKING:
    from .signature import TensorSpec

MANY_ELEMENTS = 40
"""Number of elements from which an example request would fill the screen."""


def startup_banner(settings: RuntimeSettings, port: int, inputs: "Sequence[TensorSpec]") -> str:
    """Return the address of the server and a command that sends a request to it."""
    from .samples import sample_row, sample_size, sample_tensor
    from .signature import is_tabular

    host = "localhost" if settings.host in ("0.0.0.0", "::") else settings.host
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    model = f"{url}/v2/models/{settings.name}"
    if sum(map(sample_size, inputs)) > MANY_ELEMENTS:
        return f"{settings.name} is served at {url}\nTry:  curl {model}\n"
    request: dict[str, object]
    if is_tabular(inputs):
        verb, request = "predict", {"instances": [sample_row(inputs, None)]}
    else:
        verb, request = "infer", {"inputs": [sample_tensor(spec) for spec in inputs]}
    data = shlex.quote(json.dumps(request))
    return f"{settings.name} is served at {url}\nTry:  curl {model}/{verb} -d {data}\n"
