"""A model in memory: an ONNX Runtime session with its signature."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

# ONNX Runtime sends no telemetry, unless the user enables it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from perennial_contracts.wire.names import DATATYPES_BY_ONNX_TYPE
from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage.artifact import Artifact

from .. import log
from ..classes import classes_of
from ..errors import BadRequestError, LoadError, RunFailedError
from ..regression import is_regression
from ..signature import TensorSpec
from .binding import Run, bind, device_of
from .onnx_file import has_external_data
from .profiled import read_profile, with_positive
from .providers import choose_providers, explain_fallback, has_gpu

SMALL_MODEL_BYTES = 64 * 1024 * 1024
SHORT_SECONDS = 0.02
"""A shorter run uses one thread.

Several such runs in parallel answer more requests than one run on all threads, and a single request
waits only briefly.
"""
WARM_UP_RUNS = 5
ONNX_ERRORS: tuple[type[Exception], ...] = tuple(
    value
    for value in vars(ort_errors).values()
    if isinstance(value, type) and issubclass(value, Exception)
)
OUT_OF_MEMORY = ("bad_alloc", "Failed to allocate memory", "out of memory")
NOT_SUPPORTED = (
    "is not supported",
    "is till opset",
    "Unsupported model IR version",
    "is not a registered function/op",
    "No Op registered for",
    "NOT_IMPLEMENTED",
)


class LoadedModel:
    """A loaded model. ``run`` is thread-safe."""

    def __init__(self, artifact: Artifact, threads: int, accelerator: str = "auto") -> None:
        """Create the session and warm it up. ``accelerator`` is one of ACCELERATORS.

        Raises:
            LoadError: ModelCorrupt or UnsupportedModel.
        """
        self.digest = artifact.digest
        self.bundle = artifact.bundle
        self.version = artifact.digest.removeprefix("sha256:")[:12]
        if artifact.bundle is None and has_external_data(artifact.model):
            raise LoadError(
                LoadFailure.UNSUPPORTED_MODEL,
                f"{artifact.model.name}: its weights are in other files, which its digest does "
                "not cover. Fix: build a bundle, a directory with a bundle.json that lists all "
                "files",
            )
        small = artifact.model.stat().st_size < SMALL_MODEL_BYTES
        self.threads = 1 if small else threads
        choice = choose_providers(accelerator, ort.get_available_providers(), has_gpu())
        self._session = _session(artifact.model, self.threads, choice.providers)
        self.inputs, self.outputs = _signature(self._session)
        _check_bundle(artifact, self.inputs, self.outputs)
        classes = classes_of(self.outputs, artifact.bundle)
        self.is_regression = is_regression(self.outputs, classes)
        """True if the model returns one number for each row."""
        self.profiled = (
            read_profile(artifact.profile, self.inputs, classes, self.is_regression)
            if artifact.profile
            else None
        )
        self.classes = with_positive(classes, self.profiled)
        self._run: Run = self._session.run
        self.seconds = self._warm_up(self._run)
        """Moving average of the run time, in seconds."""
        self.runs_at_once = threads
        """Number of parallel runs that keep all CPUs busy."""
        if self.threads < threads and self.seconds >= SHORT_SECONDS:
            self.threads = threads
            self._session = _session(artifact.model, threads, choice.providers)
            self._run = self._session.run
            self.seconds = self._warm_up(self._run)
        self.provider: str = self._session.get_providers()[0]
        """The execution provider that runs the model."""
        self.fallback = explain_fallback(choice, self.provider)
        """Reason if it is not the requested provider; else empty."""
        if self.fallback:
            log.warning("the model runs on another provider", problem=self.fallback)
        if device := device_of(self.provider, [*self.inputs, *self.outputs]):
            self._bind(device)

    def run(self, feeds: Mapping[str, np.ndarray], outputs: Sequence[str]) -> list[np.ndarray]:
        """Return the named outputs for inputs that fit the signature.

        Raises:
            BadRequestError: if the model rejects these inputs: inner dimensions that do not fit
                each other, an index out of range.
            RunFailedError: if there is not enough memory.
        """
        start = time.perf_counter()
        try:
            results = self._run(outputs, feeds)
        except ONNX_ERRORS as error:
            text = str(error)
            if any(phrase in text for phrase in OUT_OF_MEMORY):
                raise RunFailedError(
                    "the model ran out of memory on these inputs. "
                    "Send fewer rows in a request, or raise the memory limit"
                ) from error
            raise BadRequestError(f"the model rejects these inputs: {text}") from error
        except UnicodeDecodeError as error:
            raise RunFailedError(
                f"the model returns text that is not UTF-8: {error}. "
                "ONNX Runtime supports no other. Fix: use numbers in the model"
            ) from error
        self.seconds += 0.1 * (time.perf_counter() - start - self.seconds)
        return results

    def _warm_up(self, run: Run) -> float:
        """Run on sample inputs. Return the seconds of the fastest run, or 0 if all failed.

        Samples may not fit if inner dimensions are free, so a failure is not an error.
        """
        feeds = {tensor.name: tensor.sample() for tensor in self.inputs}
        names = [tensor.name for tensor in self.outputs]
        best = float("inf")
        for _ in range(WARM_UP_RUNS):
            start = time.perf_counter()
            try:
                run(names, feeds)
            except ONNX_ERRORS as error:
                log.info("no warm-up: the model rejects sample inputs", problem=str(error))
                return 0.0
            best = min(best, time.perf_counter() - start)
            if best > 1.0:
                break
        return best

    def _bind(self, device: str) -> None:
        """Use IOBinding, if that is faster."""
        run = bind(self._session, device)
        seconds = self._warm_up(run)
        if 0 < seconds < self.seconds:
            log.info("runs with IOBinding", seconds=seconds, without=self.seconds)
            self._run, self.seconds = run, seconds


def _session(path: Path, threads: int, providers: Sequence[str]) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin while idle burn the CPU quota of the container.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The arena never frees memory: one large request would keep it until the process ends.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(path, options, providers=list(providers))
    except ONNX_ERRORS as error:
        text = str(error)
        if isinstance(error, ort_errors.NotImplemented) or any(p in text for p in NOT_SUPPORTED):
            raise LoadError(
                LoadFailure.UNSUPPORTED_MODEL,
                f"{path.name}: ONNX Runtime {ort.__version__} cannot run it: {text}. "
                "Fix: export it for an older opset, or without custom operators",
            ) from error
        raise LoadError(
            LoadFailure.MODEL_CORRUPT,
            f"{path.name}: not a valid ONNX model: {text.rstrip('.')}. "
            "Fix: export it again, and upload the whole file",
        ) from error


def _signature(session: Any) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    inputs = tuple(_spec("input", node) for node in session.get_inputs())
    outputs = tuple(_spec("output", node) for node in session.get_outputs())
    return inputs, outputs


def _spec(role: str, node: Any) -> TensorSpec:
    kind: str = node.type
    element = kind.removeprefix("tensor(").removesuffix(")")
    if kind.startswith("tensor(") and element in DATATYPES_BY_ONNX_TYPE:
        shape = tuple(extent if isinstance(extent, int) else -1 for extent in node.shape)
        return TensorSpec(node.name, DATATYPES_BY_ONNX_TYPE[element], shape)
    advice = f"expected a tensor of {', '.join(DATATYPES_BY_ONNX_TYPE.values())}"
    if "map(" in kind:
        advice = (
            "convert scikit-learn classifiers without zipmap: "
            "skl2onnx.to_onnx(model, ..., options={'zipmap': False})"
        )
    raise LoadError(
        LoadFailure.UNSUPPORTED_MODEL, f"{role} {node.name!r}: got the type {kind}; {advice}"
    )


def _check_bundle(
    artifact: Artifact, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
) -> None:
    """Check that the signature in the bundle is the model's."""
    if artifact.bundle is None:
        return
    for role, stated, actual in (
        ("inputs", artifact.bundle.inputs, inputs),
        ("outputs", artifact.bundle.outputs, outputs),
    ):
        expected = {tensor.name: tensor.datatype for tensor in stated}
        found = {tensor.name: tensor.datatype for tensor in actual}
        if expected and expected != found:
            raise LoadError(
                LoadFailure.MODEL_CORRUPT,
                f"bundle.json: {role}: expected {found} as in model.onnx, got {expected}. "
                "Fix: build the bundle again",
            )
