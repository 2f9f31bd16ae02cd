"""Messages of TensorFlow Serving's own client, from ``tensorflow_fixtures.json``."""

import json
from pathlib import Path

_DOCUMENT = json.loads(Path(__file__).with_name("tensorflow_fixtures.json").read_text())

MESSAGES = {name: bytes.fromhex(text) for name, text in _DOCUMENT["messages"].items()}
FIELDS = _DOCUMENT["fields"]
