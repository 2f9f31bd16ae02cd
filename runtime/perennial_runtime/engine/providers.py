"""Which of ONNX Runtime's execution providers run a model, and what is said where it is another."""

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
"""Each with those that take over what it cannot do, in order."""
ACCELERATORS = ("auto", *BY_ACCELERATOR)


@dataclass(frozen=True)
class Choice:
    """Execution providers in the order in which they are asked."""

    providers: tuple[str, ...]
    fallback: str = ""
    """Why the first of them is not the one that is wanted; empty where it is."""


def choose(accelerator: str, available: Collection[str], has_gpu: bool) -> Choice:
    """The providers for an accelerator; ``auto``: CUDA where there is a GPU, else the CPU.

    Args:
        accelerator: one of ACCELERATORS.
        available: the providers that this ONNX Runtime was built with.
        has_gpu: whether the container has been given one.
    """
    if accelerator == "auto":
        accelerator = "cuda" if has_gpu else "cpu"
    wanted = BY_ACCELERATOR[accelerator]
    found = tuple(provider for provider in wanted if provider in available)
    fallback = ""
    if wanted[0] not in found:
        fallback = (
            f"this image's ONNX Runtime has no {wanted[0]}: serve with an image that has, "
            "or ask for no GPU"
        )
    elif wanted[0] != CPU and accelerator in ("cuda", "tensorrt") and not has_gpu:
        fallback = f"{wanted[0]} is wanted, but the container has no GPU: ask for nvidia.com/gpu"
        found = (CPU,)
    return Choice(found or (CPU,), fallback)


def lost(choice: Choice, used: str) -> str:
    """Why a session runs on another provider than the first of a choice; empty where it does not.

    ONNX Runtime falls back by itself where a provider cannot start: a driver that is too old, say.
    """
    if choice.fallback or used == choice.providers[0]:
        return choice.fallback
    return f"{choice.providers[0]} could not start, and {used} runs the model; the log says why"


def has_gpu(devices: Path = Path("/dev")) -> bool:
    """Whether the container has been given an NVIDIA GPU."""
    return any(devices.glob("nvidia[0-9]*"))
