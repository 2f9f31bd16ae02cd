"""Tries the wanted methods on a model, one after another, and keeps the first that will do."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from perennial_contracts.api.compression import Compression, MethodType
from perennial_contracts.wire.modelcard import CompressionTrial

from ..model.timing import ROUNDS
from . import distill, float16, int8_dynamic, int8_static, prune
from .decide import decide, loss_of, passes
from .measure import Measured, measure
from .method import NotApplicableError, Variant
from .running import Session
from .samples import Samples

Make = Callable[[bytes, Samples, int], Iterable[Variant]]
METHODS: Mapping[MethodType, Make] = {
    "Int8Dynamic": int8_dynamic.make,
    "Int8Static": int8_static.make,
    "Float16": float16.make,
    "Prune": prune.make,
    "Distill": distill.make,
}


@dataclass(frozen=True)
class Compressed:
    """What came of a compression."""

    model: bytes
    """The model to serve: the one that was given where nothing was kept."""
    trials: list[CompressionTrial]
    """The model as it was (``Original``), then each method in the spec's order."""
    method: str | None
    """The one that was kept."""


@dataclass(frozen=True)
class _Tried:
    """A variant that the gate was asked for."""

    variant: Variant
    value: float
    loss: float
    control: float | None


def compress(
    model: bytes,
    wanted: Compression,
    samples: Samples,
    *,
    seed: int,
    tell: Callable[[str], None],
    rounds: int = ROUNDS,
) -> Compressed:
    """A smaller or faster model than this one, if the gate lets one through.

    Of each method the strongest variant that the gate lets through stands for it, else the mildest.
    Those are timed side by side. The same model, rows and seed make the same variants, whatever the
    machine is busy with; which one is kept depends on the clock only where it is not smaller.

    Args:
        model: an ONNX file, its weights in it.
        wanted: methods, in order, and the gate.
        samples: rows to learn from, and to judge on.
        seed: of what is drawn.
        tell: takes a line for people after each method.
        rounds: of timing.

    Raises:
        ValueError: where the samples' metric is not the gate's, or the model's own score is not
            defined on the held-out rows, so that nothing can be compared with it.
        onnx_model.ERRORS: where the model itself cannot be run.
    """
    gate = wanted.gate
    if samples.metric != gate.metric:
        raise ValueError(
            f"gate.metric: expected {samples.metric}, which rows are scored by, got {gate.metric}"
        )
    with threadpool_limits(1):  # sums of floats depend on how they are split up
        session = Session(model)
        before = samples.score(session.run(samples.held_out))
        if not math.isfinite(before):
            raise ValueError(
                f"gate.metric: {gate.metric} of the model is not defined on the held-out rows"
            )
        tried = [
            _try(method.type, model, before, wanted, samples, seed) for method in wanted.methods
        ]
    variants = [each.variant.model for each in tried if isinstance(each, _Tried)]
    first, *others = measure([model, *variants], samples.held_out, rounds)
    original = _trial("Original", "as it was", first, gate.metric, before, None, None)
    measured = iter(others)
    trials = [
        each
        if isinstance(each, CompressionTrial)
        else _trial(
            method.type, each.variant.what, next(measured), gate.metric, each.value, each.loss,
            each.control,
        )
        for method, each in zip(wanted.methods, tried, strict=True)
    ]  # fmt: skip
    verdict = decide(gate, original, trials)
    for trial in verdict.trials:
        tell(f"{trial.method}: {trial.status}: {trial.why}")
    if verdict.kept is None:
        return Compressed(model, [original, *verdict.trials], None)
    chosen = tried[verdict.kept]
    assert isinstance(chosen, _Tried)
    return Compressed(
        chosen.variant.model, [original, *verdict.trials], verdict.trials[verdict.kept].method
    )


def _try(
    method: MethodType,
    model: bytes,
    before: float,
    wanted: Compression,
    samples: Samples,
    seed: int,
) -> "_Tried | CompressionTrial":
    """The variant that stands for a method, or a trial that says why there is none."""
    try:
        variant, value, loss = None, 0.0, 0.0
        for variant in METHODS[method](model, samples, seed):
            value = _score(variant.model, model, samples)
            loss = loss_of(wanted.gate, samples.higher_is_better, before, value)
            if passes(wanted.gate, loss):
                break
        assert variant is not None, "a method that has no variant says so by an error"
        control = _score(variant.control(), model, samples) if variant.control else None
        return _Tried(variant, value, loss, control)
    except NotApplicableError as error:
        return CompressionTrial(method=method, status="NotApplicable", why=str(error))
    # The tools raise whatever they run into; one method that fails must not take the others along.
    except Exception as error:
        first_line = (str(error).strip().splitlines() or [""])[0]
        return CompressionTrial(
            method=method, status="Failed", why=f"{type(error).__name__}: {first_line}"
        )


def _score(variant: bytes, original: bytes, samples: Samples) -> float:
    """The metric of a variant.

    Raises:
        ValueError: where it does not take and give what the original does.
    """
    session, signature = Session(variant), Session(original).signature
    if session.signature != signature:
        raise ValueError(f"expected inputs and outputs {signature}, got {session.signature}")
    return samples.score(session.run(samples.held_out))


def _trial(
    method: str,
    why: str,
    measured: Measured,
    metric: str,
    value: float,
    loss: float | None,
    control: float | None,
) -> CompressionTrial:
    return CompressionTrial(
        method=method,
        status="Original" if method == "Original" else "Passed",
        why=why,
        size_bytes=measured.size_bytes,
        transfer_bytes=measured.transfer_bytes,
        p50_microseconds=measured.p50_microseconds,
        p95_microseconds=measured.p95_microseconds,
        batch_rows=measured.batch_rows,
        batch_p50_microseconds=measured.batch_p50_microseconds,
        metric=metric,
        value=_finite(value),
        loss=_finite(loss),
        control=_finite(control),
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
