"""Run a session with its tensors on the device that computes.

``session.run`` copies each input to the device and each output back, one by one. With ONNX
Runtime's IOBinding the outputs stay there until the run has ended, and are copied back together.
Whether that is faster depends on model, device and driver, so ``model.py`` measures it.
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
"""Device of an execution provider's tensors, as IOBinding names it. Others use the CPU's memory."""


def device_of(provider: str, tensors: Sequence[TensorSpec]) -> str | None:
    """Return the device of a provider's tensors; None for the CPU or for texts."""
    if any(tensor.datatype == "BYTES" for tensor in tensors):
        return None
    return DEVICES.get(provider)


def bind(session: Any, device: str) -> Run:
    """Return a function that runs a session with IOBinding. It is thread-safe."""

    def run(outputs: Sequence[str], feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        binding = session.io_binding()
        try:
            for name, values in feeds.items():
                binding.bind_cpu_input(name, values)
            for name in outputs:
                binding.bind_output(name, device)
            session.run_with_iobinding(binding)
        except RuntimeError:
            # With a binding, all failures have the same type. Without one, each has its own.
            return list(session.run(outputs, feeds))
        return list(binding.copy_outputs_to_cpu())

    return run
