"""Try the wanted methods on a model in order, and keep the first that passes."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from perennial_contracts.api.compression import Compression, MethodType
from perennial_contracts.wire.modelcard import CompressionTrial

from ..model.timing import ROUNDS
from . import distill, float16, prune, quantize
from .decide import decide, loss_of, passes
from .method import NotApplicableError, Variant
from .running import Footprint, Session, measure
from .samples import Samples

Make = Callable[[bytes, Samples, int], Iterable[Variant]]
METHODS: Mapping[MethodType, Make] = {
    "Int8Dynamic": quantize.make_dynamic,
    "Int8Static": quantize.make_static,
    "Float16": float16.make,
    "Prune": prune.make,
    "Distill": distill.make,
}


class MetricError(ValueError):
    """The gate's metric cannot be used."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"gate.metric: {detail}")
        self.detail = detail


@dataclass(frozen=True)
class Compressed:
    """The result of a compression."""

    model: bytes
    """The model to serve; the original if no trial was kept."""
    trials: list[CompressionTrial]
    """The trial of the original (``Original``), then each method in the spec's order."""
    method: str | None
    """The method that was kept."""


@dataclass(frozen=True)
class _Scored:
    """The variant that represents a method, with its score."""

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
    log: Callable[[str], None],
    rounds: int = ROUNDS,
) -> Compressed:
    """Return a smaller or faster model than this one, if one passes the gate.

    The strongest variant that passes the gate represents its method, or the mildest if none does.
    These variants are timed side by side. The same model, rows and seed give the same variants,
    independent of the load of the machine. The times decide only about variants that are not
    smaller.

    Args:
        model: an ONNX file with its weights inside.
        wanted: methods in their order, and the gate.
        samples: rows to train and to judge on.
        seed: seed of the random numbers.
        log: function that logs a line for each method.
        rounds: number of rounds of timing.

    Raises:
        MetricError: if the samples have another metric than the gate, or the score of the model is
            not defined on the held-out rows, so that there is nothing to compare with.
        ValueError: if the model cannot run on the held-out rows.
        onnx_model.ERRORS: if ONNX Runtime cannot run the model.
    """
    gate = wanted.gate
    if samples.metric != gate.metric:
        raise MetricError(f"expected {samples.metric}, the metric of the rows, got {gate.metric}")
    # Sums of floats depend on the number of threads.
    with threadpool_limits(1):
        session = Session(model)
        before = samples.score(session.run(samples.held_out))
        if not math.isfinite(before):
            raise MetricError(f"{gate.metric} of the model is not defined on the held-out rows")
        scored = [
            _try(method.type, model, before, wanted, samples, seed) for method in wanted.methods
        ]
    variants = [each.variant.model for each in scored if isinstance(each, _Scored)]
    first, *others = measure([model, *variants], samples.held_out, rounds)
    original = _trial("Original", "unchanged", first, gate.metric, before, None, None)
    footprints = iter(others)
    trials = [
        each
        if isinstance(each, CompressionTrial)
        else _trial(
            method.type, each.variant.description, next(footprints), gate.metric, each.value,
            each.loss, each.control,
        )
        for method, each in zip(wanted.methods, scored, strict=True)
    ]  # fmt: skip
    selection = decide(gate, original, trials)
    for trial in selection.trials:
        log(f"{trial.method}: {trial.status}: {trial.why}")
    if selection.kept is None:
        return Compressed(model, [original, *selection.trials], None)
    chosen = scored[selection.kept]
    assert isinstance(chosen, _Scored)
    return Compressed(
        chosen.variant.model, [original, *selection.trials], selection.trials[selection.kept].method
    )


def _try(
    method: MethodType,
    model: bytes,
    before: float,
    wanted: Compression,
    samples: Samples,
    seed: int,
) -> "_Scored | CompressionTrial":
    """Return the variant that represents a method, or a trial if there is none."""
    try:
        variant, value, loss = None, 0.0, 0.0
        for variant in METHODS[method](model, samples, seed):
            value = _score(variant.model, model, samples)
            loss = loss_of(wanted.gate, samples.higher_is_better, before, value)
            if passes(wanted.gate, loss):
                break
        assert variant is not None, "a method without a variant raises an error"
        control = _score(variant.control(), model, samples) if variant.control else None
        return _Scored(variant, value, loss, control)
    except NotApplicableError as error:
        return CompressionTrial(method=method, status="NotApplicable", why=str(error))
    # The tools raise errors of many types, and a failed method must not stop the others.
    except Exception as error:
        first_line = (str(error).strip().splitlines() or [""])[0]
        return CompressionTrial(
            method=method, status="Failed", why=f"{type(error).__name__}: {first_line}"
        )


def _score(variant: bytes, original: bytes, samples: Samples) -> float:
    """Return the metric of a variant.

    Raises:
        ValueError: if its inputs or outputs differ from those of the original.
    """
    session, signature = Session(variant), Session(original).signature
    if session.signature != signature:
        raise ValueError(f"expected inputs and outputs {signature}, got {session.signature}")
    return samples.score(session.run(samples.held_out))


def _trial(
    method: str,
    why: str,
    footprint: Footprint,
    metric: str,
    value: float,
    loss: float | None,
    control: float | None,
) -> CompressionTrial:
    return CompressionTrial(
        method=method,
        status="Original" if method == "Original" else "Passed",
        why=why,
        size_bytes=footprint.size_bytes,
        transfer_bytes=footprint.transfer_bytes,
        p50_microseconds=footprint.p50_microseconds,
        p95_microseconds=footprint.p95_microseconds,
        batch_rows=footprint.batch_rows,
        batch_p50_microseconds=footprint.batch_p50_microseconds,
        metric=metric,
        value=_finite(value),
        loss=_finite(loss),
        control=_finite(control),
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
