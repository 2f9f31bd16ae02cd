"""Choose ONNX Runtime's execution providers, and explain a fallback."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

CPU = "CPUExecutionProvider"
BY_ACCELERATOR = {
    "cpu": (CPU,),
    "cuda": ("CUDAExecutionProvider", CPU),
    "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider", CPU),
    "openvino": ("OpenVINOExecutionProvider", CPU),
}
"""Each provider, followed by those that run the operators that it does not support."""
ACCELERATORS = ("auto", *BY_ACCELERATOR)


@dataclass(frozen=True)
class ProviderChoice:
    """Execution providers in the order of preference."""

    providers: tuple[str, ...]
    fallback: str = ""
    """Reason if the first one is not the requested provider; else empty."""


def choose_providers(accelerator: str, available: Collection[str], has_gpu: bool) -> ProviderChoice:
    """Return the providers for an accelerator; ``auto`` uses CUDA if there is a GPU.

    Args:
        accelerator: one of ACCELERATORS.
        available: providers of the installed ONNX Runtime.
        has_gpu: whether the container has a GPU.
    """
    if accelerator == "auto":
        accelerator = "cuda" if has_gpu else "cpu"
    requested = BY_ACCELERATOR[accelerator]
    found = tuple(provider for provider in requested if provider in available)
    fallback = ""
    if requested[0] not in found:
        fallback = (
            f"ONNX Runtime in this image has no {requested[0]}. Fix: use an image that has it, "
            "or request no GPU"
        )
    elif requested[0] != CPU and accelerator in ("cuda", "tensorrt") and not has_gpu:
        fallback = (
            f"{requested[0]} is requested, but the container has no GPU. "
            "Fix: request nvidia.com/gpu"
        )
        found = (CPU,)
    return ProviderChoice(found or (CPU,), fallback)


def explain_fallback(choice: ProviderChoice, used: str) -> str:
    """Return the reason for another provider than requested; empty if there is none.

    ONNX Runtime falls back by itself if a provider cannot start, such as with an old driver.
    """
    if choice.fallback or used == choice.providers[0]:
        return choice.fallback
    return f"{choice.providers[0]} could not start, so {used} runs the model. See the log"


def has_gpu(devices: Path = Path("/dev")) -> bool:
    """Return whether the container has an NVIDIA GPU."""
    return any(devices.glob("nvidia[0-9]*"))
