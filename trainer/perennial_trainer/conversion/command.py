"""``perennial-trainer convert``: convert a model to ONNX and compare both."""

import time

from ..errors import name_fields
from ..log import log
from ..settings import ConvertSettings
from . import check, convert, draw
from .converted import FORMAT_OPTION, SAMPLE_OPTION, TRUSTED_OPTION, ConvertOptions

MODEL_FILE, FACTS_FILE = "model.onnx", "conversion.json"
FLAGS = {FORMAT_OPTION: "--format", SAMPLE_OPTION: "--sample", TRUSTED_OPTION: "--trusted"}


def run(settings: ConvertSettings) -> None:
    """Write model.onnx and conversion.json, which is a ConversionFacts.

    Raises:
        StepError: from ``convert``, ``draw`` or ``check``. Then no file is written.
    """
    began = time.monotonic()
    options = ConvertOptions(trusted=settings.trusted, sample=settings.sample)
    with name_fields(FLAGS):
        converted = convert(settings.source, settings.format, options)
        facts = check(converted, draw(converted, settings.sample))
    facts = facts.model_copy(update={"seconds": round(time.monotonic() - began, 3)})
    settings.out.mkdir(parents=True, exist_ok=True)
    (settings.out / MODEL_FILE).write_bytes(converted.model)
    (settings.out / FACTS_FILE).write_text(facts.model_dump_json(indent=1) + "\n")
    agreed = "" if facts.agreement is None else f"{facts.agreement:.2%} of labels agree, "
    agreed += f"{facts.ties} others are ties, " if facts.ties else ""
    log(
        f"{facts.format} converted by {facts.converter}, {len(converted.model):,} bytes: on "
        f"{facts.rows:,} rows {agreed}the largest difference is {facts.max_difference:.2g}"
    )
