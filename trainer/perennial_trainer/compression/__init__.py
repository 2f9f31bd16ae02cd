"""From one ONNX model to a smaller or faster one that keeps what a gate asks for.

``compress`` is the way in. A method is a file that makes variants of a model, the strongest first;
``step`` asks the gate for each, ``measure`` weighs and times them side by side, ``decide`` says
which one is served and why the others are not.
"""

from .compress import Compressed, compress
from .samples import Samples

__all__ = ["Compressed", "Samples", "compress"]
