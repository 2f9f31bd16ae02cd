"""The middle step: from the artifact to a bundle, without network and without credentials."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from perennial_contracts.wire.bundle import MANIFEST_NAME, MODEL_NAME, Bundle, describe_files
from perennial_contracts.wire.modelcard import (
    MODEL_CARD_NAME,
    REPORT_NAME,
    CompressionTrial,
    ConversionFacts,
    ModelCard,
)
from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.prepare_plan import (
    ARTIFACT_FOLDER,
    FETCHED_FILE,
    GATE_FILE,
    SAMPLE_FILE,
    Fetched,
    Preparation,
)
from perennial_contracts.wire.profile import PROFILE_NAME, Profile

from ... import conversion as formats
from ...bundle.unlabelled_profile import profile_rows
from ...conversion import sandbox
from ...conversion.converted import FORMAT_OPTION, SAMPLE_OPTION, TRUSTED_OPTION
from ...conversion.onnx_signature import describe
from ...errors import StepError, name_fields
from ...log import log
from ...report.page import render
from .settings import PrepareSettings

PACKAGES = ("numpy", "onnx", "onnxruntime", "scikit-learn", "skl2onnx")
FIELDS = {
    "": "spec.model.uri",
    FORMAT_OPTION: "spec.model.format",
    SAMPLE_OPTION: "spec.packaging.sample",
    TRUSTED_OPTION: "spec.packaging.trusted",
}
"""The converters' options as fields of a ModelDeployment."""


def run(plan: Preparation, settings: PrepareSettings) -> None:
    """Converts, compares, compresses, and leaves the bundle's folder in the output.

    Raises:
        StepError: UnsupportedModel, UntrustedModel, ConverterNotInstalled, ConversionFailed,
            ParityFailed, DataUnreadable, BadPlan; InternalError where the network cannot be taken.
    """
    # Before anything is read that anybody may have made.
    sandbox.lock()
    log("the network is taken from this process")
    fetched = _fetched(settings.input / FETCHED_FILE)
    artifact = settings.input / ARTIFACT_FOLDER
    sample = settings.input / SAMPLE_FILE
    converted, facts, rows = _convert(
        plan, artifact / fetched.path, sample if sample.is_file() else None
    )
    before = _bundle(artifact / MANIFEST_NAME) if fetched.bundle else None
    made = _Made(converted, facts, before, converted.model)
    if plan.compression is not None:
        # What is not wanted is not loaded: it takes seconds.
        from ...compression.gate_data import compress_rows

        made.model, made.profile, made.trials = compress_rows(
            made.model, made.labels, plan.compression, settings.input / GATE_FILE
        )
    elif sample.is_file():
        made.profile = profile_rows(made.model, made.labels, sample, rows)
    for name, data in _files(plan, fetched, made).items():
        (settings.output / name).write_bytes(data)


@dataclass
class _Made:
    """What the steps have come to."""

    converted: formats.Converted
    facts: ConversionFacts
    before: Bundle | None
    """The bundle that the artifact was, where it was one."""
    model: bytes
    profile: Profile | None = None
    trials: list[CompressionTrial] = field(default_factory=list)

    @property
    def labels(self) -> list[str] | None:
        """The classes, in the order of the probabilities; None where they are not known."""
        return list(self.converted.labels) or (self.before.labels if self.before else None)

    @property
    def positive(self) -> str | None:
        known = self.before.positive if self.before else None
        return known or (self.profile.positive if self.profile else None)


def _convert(
    plan: Preparation, path: Path, sample: Path | None
) -> tuple[formats.Converted, ConversionFacts, Mapping[str, np.ndarray]]:
    """The model, how well it agrees, and the rows that the user gave or that were drawn."""
    options = formats.ConvertOptions(trusted=plan.trusted, sample=sample)
    with name_fields(FIELDS):
        converted = formats.convert(path, None if plan.format == "Auto" else plan.format, options)
        drawn = formats.draw(converted, sample)
        facts = formats.check(converted, drawn)
    log(
        f"{facts.format}, by {facts.converter}: {facts.rows:,} rows compared, the largest "
        f"difference is {facts.max_difference:.3g}"
    )
    return converted, facts, drawn[0]


def _files(plan: Preparation, fetched: Fetched, made: _Made) -> dict[str, bytes]:
    """All files by name: those of the bundle, and what is told of it beside it."""
    facts, before = made.facts, made.before
    lineage = {"artifact": fetched.digest, "format": facts.format, "converter": facts.converter}
    kept = next((trial.method for trial in made.trials if trial.status == "Kept"), None)
    if kept:
        lineage["compression"] = kept
    inputs, outputs = describe(made.model)
    contents = {MODEL_NAME: made.model}
    if made.profile is not None:
        contents[PROFILE_NAME] = made.profile.to_bytes()
    environment = _environment()
    task = made.converted.task
    manifest = Bundle(
        files=describe_files(contents),
        inputs=inputs,
        outputs=outputs,
        task=None if task == "Tensors" else task,
        labels=made.labels,
        positive=made.positive,
        lineage={**(before.lineage if before else {}), **lineage, **environment},
    )
    # How long things took is told beside the bundle: the same artifact makes the same one.
    card = ModelCard(
        name=plan.name,
        headline=_headline(facts, made.trials),
        kind=facts.format,
        conversion=facts,
        compression=made.trials,
        size_bytes=len(made.model),
        lineage=lineage,
        environment=environment,
    )
    return {
        **contents,
        MODEL_CARD_NAME: card.model_dump_json(indent=1, exclude_none=True).encode(),
        REPORT_NAME: render(card, made.profile).encode(),
        MANIFEST_NAME: manifest.to_bytes(),
    }


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
