"""The middle step: from the artifact to a bundle, without network and without credentials."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from perennial_contracts.bundle import MANIFEST_NAME, MODEL_NAME, Bundle, describe_files
from perennial_contracts.modelcard import (
    MODEL_CARD_NAME,
    REPORT_NAME,
    CompressionTrial,
    ConversionFacts,
    ModelCard,
)
from perennial_contracts.outcome import LoadFailure
from perennial_contracts.preparation import (
    ARTIFACT_FOLDER,
    FETCHED_FILE,
    GATE_FILE,
    SAMPLE_FILE,
    Fetched,
    Preparation,
)
from perennial_contracts.profile import PROFILE_NAME, Profile
from perennial_contracts.training import TrainingFailure

from ..errors import StepError
from ..progress import tell
from . import sandbox
from .settings import PrepareSettings

PACKAGES = ("numpy", "onnx", "onnxruntime", "scikit-learn", "skl2onnx")


def run(plan: Preparation, settings: PrepareSettings) -> None:
    """Converts, compares, compresses, and leaves the bundle's folder in the output.

    Raises:
        StepError: UnsupportedModel, UntrustedModel, ConverterNotInstalled, ConversionFailed,
            ParityFailed, DataUnreadable, BadPlan; InternalError where the network cannot be taken.
    """
    # Before anything is read that anybody may have made.
    sandbox.lock()
    tell("the network is taken from this process")
    fetched = _fetched(settings.input / FETCHED_FILE)
    artifact = settings.input / ARTIFACT_FOLDER
    sample = settings.input / SAMPLE_FILE
    converted, facts = _convert(plan, artifact / fetched.path, sample if sample.is_file() else None)
    before = _bundle(artifact / MANIFEST_NAME) if fetched.bundle else None
    labels = list(converted.labels) or (before.labels if before else None)
    model: bytes = converted.model
    profile: Profile | None = None
    trials: list[CompressionTrial] = []
    if plan.compression is not None:
        from .compressing import compress_rows

        model, profile, trials = compress_rows(
            model, labels, plan.compression, settings.input / GATE_FILE
        )
    elif sample.is_file():
        from .profiling import profile_rows

        profile = profile_rows(model, labels, sample)
    _write(settings.output, plan, fetched, converted, facts, model, labels, profile, trials, before)


def _convert(plan: Preparation, path: Path, sample: Path | None) -> tuple[Any, ConversionFacts]:
    try:
        from .. import formats  # type: ignore[attr-defined, unused-ignore]
    except ImportError as error:
        raise StepError(
            TrainingFailure.CONVERTER_NOT_INSTALLED,
            f"this image converts nothing: {error}. Name another in spec.packaging.image",
        ) from error
    options = formats.ConvertOptions(trusted=plan.trusted, sample=sample)
    converted = formats.convert(path, None if plan.format == "Auto" else plan.format, options)
    facts: ConversionFacts = formats.check(converted, formats.draw(converted, sample))
    tell(
        f"{facts.format}, by {facts.converter}: {facts.rows:,} rows compared, the largest "
        f"difference is {facts.max_difference:.3g}"
    )
    return converted, facts


def _write(
    output: Path,
    plan: Preparation,
    fetched: Fetched,
    converted: Any,
    facts: ConversionFacts,
    model: bytes,
    labels: list[str] | None,
    profile: Profile | None,
    trials: list[CompressionTrial],
    before: Bundle | None,
) -> None:
    from .signature import describe

    lineage = {"artifact": fetched.digest, "format": facts.format, "converter": facts.converter}
    kept = next((trial.method for trial in trials if trial.status == "Kept"), None)
    if kept:
        lineage["compression"] = kept
    inputs, outputs = describe(model)
    contents = {MODEL_NAME: model}
    if profile is not None:
        contents[PROFILE_NAME] = profile.to_bytes()
    environment = _environment()
    task = {} if converted.task == "Tensors" else {"task": converted.task}
    manifest = Bundle.model_validate(
        {
            **task,
            "files": [file.model_dump() for file in describe_files(contents)],
            "inputs": [tensor.model_dump() for tensor in inputs],
            "outputs": [tensor.model_dump() for tensor in outputs],
            "labels": labels,
            "positive": before.positive if before else profile.positive if profile else None,
            "lineage": {**(before.lineage if before else {}), **lineage, **environment},
        }
    ).to_bytes()
    # How long things took is told beside the bundle: the same artifact makes the same one.
    card = ModelCard(
        name=plan.name,
        headline=_headline(facts, trials),
        kind=facts.format,
        conversion=facts,
        compression=trials,
        size_bytes=len(model),
        lineage=lineage,
        environment=environment,
    )
    for name, data in contents.items():
        (output / name).write_bytes(data)
    (output / MODEL_CARD_NAME).write_text(card.model_dump_json(indent=1, exclude_none=True))
    (output / REPORT_NAME).write_text(_page(card, profile))
    (output / MANIFEST_NAME).write_bytes(manifest)


def _page(card: ModelCard, profile: Profile | None) -> str:
    from ..report import page

    if not hasattr(page, "LEAF"):
        # The report of runs only: it cannot draw a card.
        return f"<!doctype html><title>{card.kind}</title><pre>{_plain(card)}</pre>"
    drawn: str = page.render(card, profile)  # type: ignore[arg-type, call-arg, unused-ignore]
    return drawn


def _plain(card: ModelCard) -> str:
    from html import escape

    return escape(card.model_dump_json(indent=1, exclude_none=True))


def _headline(facts: ConversionFacts, trials: list[CompressionTrial]) -> str:
    said = f"Converted from {facts.format}"
    if facts.agreement is not None:
        said += f": {facts.agreement:.2%} of {facts.rows:,} labels agree with the original's"
        said += f" and {facts.ties} are ties" if facts.ties else ""
    kept = next((trial for trial in trials if trial.status == "Kept"), None)
    if kept:
        return f"{said}; {kept.method} is served"
    return f"{said}; no compression was kept" if trials else said


def _environment() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _fetched(path: Path) -> Fetched:
    try:
        return Fetched.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StepError(
            LoadFailure.MODEL_NOT_FOUND, f"{path}: expected what the step fetch wrote: {error}"
        ) from error


def _bundle(path: Path) -> Bundle:
    # The step before has read it already.
    return Bundle.model_validate_json(path.read_bytes())
