"""Runs a session with its tensors on the device that computes.

``session.run`` takes each input to the device and each output back by itself. With ONNX Runtime's
IOBinding the outputs stay there until the run is over, and come back together. Whether that is
quicker depends on model, device and driver, so it is tried, not assumed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..signature import TensorSpec

Run = Callable[[Sequence[str], Mapping[str, np.ndarray]], list[np.ndarray]]
"""Takes the names of the outputs and the inputs by name, as ``InferenceSession.run`` does."""

DEVICES: Mapping[str, str] = {
    "CUDAExecutionProvider": "cuda",
    "TensorrtExecutionProvider": "cuda",
}
"""Where the tensors of an execution provider lie, as IOBinding names it; the others' are here."""


def device_of(provider: str, tensors: Sequence[TensorSpec]) -> str | None:
    """Where a provider has all tensors; None where that is here, or texts are among them."""
    if any(tensor.datatype == "BYTES" for tensor in tensors):
        return None
    return DEVICES.get(provider)


def bound(session: Any, device: str) -> Run:
    """A session's ``run`` by way of IOBinding. May be called from several threads at once."""

    def run(outputs: Sequence[str], feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        binding = session.io_binding()
        try:
            for name, values in feeds.items():
                binding.bind_cpu_input(name, values)
            for name in outputs:
                binding.bind_output(name, device)
            session.run_with_iobinding(binding)
        except RuntimeError:
            # All failures look alike here; without a binding each has its own type.
            return list(session.run(outputs, feeds))
        return list(binding.copy_outputs_to_cpu())

    return run
