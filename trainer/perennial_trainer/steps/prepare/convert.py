"""Second stage of prepare: artifact to bundle, without network and credentials."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from perennial_contracts.wire.bundle import MANIFEST_NAME, Bundle
from perennial_contracts.wire.modelcard import CompressionTrial, ConversionFacts
from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.prepare_plan import (
    ARTIFACT_FOLDER,
    FETCHED_FILE,
    GATE_FILE,
    SAMPLE_FILE,
    Fetched,
    Preparation,
)
from perennial_contracts.wire.profile import Profile

from ... import conversion
from ...bundle.prepared import PreparedModel, find_labels
from ...bundle.profile import profile_sample
from ...conversion import Converted, ConvertOptions, sandbox
from ...conversion.converted import FORMAT_OPTION, SAMPLE_OPTION, TRUSTED_OPTION
from ...errors import StepError, name_fields
from ...log import log
from ...settings import PrepareSettings

FIELDS = {
    "": "spec.model.uri",
    FORMAT_OPTION: "spec.model.format",
    SAMPLE_OPTION: "spec.packaging.sample",
    TRUSTED_OPTION: "spec.packaging.trusted",
}
"""The fields of a ModelDeployment for the options of a conversion."""


def run(plan: Preparation, settings: PrepareSettings) -> None:
    """Convert, check, compress, and write the bundle into the output folder.

    Raises:
        StepError: UnsupportedModel, UntrustedModel, ConverterNotInstalled, ConversionFailed,
            ParityFailed, DataUnreadable, BadPlan; InternalError if the network stays reachable.
    """
    # Before anything is read that can come from an attacker.
    sandbox.lock()
    log("this process has no network from here on")
    fetched = _read_fetched(settings.input / FETCHED_FILE)
    artifact = settings.input / ARTIFACT_FOLDER
    original = _read_bundle(artifact / MANIFEST_NAME) if fetched.bundle else None
    sample = _if_file(settings.input / SAMPLE_FILE)
    converted, facts, rows = convert_artifact(plan, artifact / fetched.path, sample)
    labels = find_labels(converted, original)
    model, profile, trials = converted.model, None, list[CompressionTrial]()
    if plan.compression is not None:
        model, profile, trials = _compress(plan, model, labels, settings.input / GATE_FILE)
    elif sample:
        profile = profile_sample(model, labels, sample, rows)
    prepared = PreparedModel(plan.name, fetched, original, converted, facts, model, profile, trials)
    for name, data in prepared.files().items():
        (settings.output / name).write_bytes(data)


def convert_artifact(
    plan: Preparation, path: Path, sample: Path | None
) -> tuple[Converted, ConversionFacts, Mapping[str, np.ndarray]]:
    """Return the model as ONNX, its agreement with the original, and rows for both."""
    options = ConvertOptions(trusted=plan.trusted, sample=sample)
    with name_fields(FIELDS):
        format_ = None if plan.format == "Auto" else plan.format
        converted = conversion.convert(path, format_, options)
        drawn = conversion.draw(converted, sample)
        facts = conversion.check(converted, drawn)
    log(
        f"converted from {facts.format} by {facts.converter}: {facts.rows:,} rows compared, "
        f"largest difference {facts.max_difference:.3g}"
    )
    return converted, facts, drawn[0]


def _compress(
    plan: Preparation, model: bytes, labels: list[str] | None, data: Path
) -> tuple[bytes, Profile, list[CompressionTrial]]:
    # Imported only if needed: the import takes seconds.
    from ...compression.gate_data import compress_rows

    assert plan.compression is not None
    return compress_rows(model, labels, plan.compression, data)


def _if_file(path: Path) -> Path | None:
    return path if path.is_file() else None


def _read_fetched(path: Path) -> Fetched:
    try:
        return Fetched.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StepError(
            LoadFailure.MODEL_NOT_FOUND,
            f"expected the file that the stage fetch writes: {error}",
            field=str(path),
        ) from error


def _read_bundle(path: Path) -> Bundle:
    # The stage fetch has already checked it.
    return Bundle.model_validate_json(path.read_bytes())
