"""The command ``fit``: a first model from a file."""

from pathlib import Path

from perennial_contracts.wire.bundle import MANIFEST_NAME
from perennial_contracts.wire.run_plan import TrainingFailure

from ..data import tables
from ..errors import StepError
from ..log import log
from ..settings import FitSettings
from .fit import make_bundle


def run(settings: FitSettings) -> None:
    """Trains, and writes the bundle.

    Raises:
        StepError: as :func:`perennial_trainer.steps.fit.make_bundle`, and DataUnreadable or
            PublishFailed for the files.
    """
    if not settings.data.is_file():
        raise StepError(
            TrainingFailure.DATA_UNREADABLE, f"--data: there is no file {settings.data}"
        )
    _check_empty(settings.out)
    rows = tables.read(settings.data)
    log(f"{settings.data}: {len(rows)} rows, {len(rows.columns)} columns")
    made = make_bundle(
        rows,
        label=settings.label,
        positive=settings.positive,
        search=settings.search,
        lineage={"source": settings.data.name},
        budget=settings.budget,
        tell=log,
    )
    settings.out.mkdir(parents=True, exist_ok=True)
    for name in sorted(made.files, key=lambda name: name == MANIFEST_NAME):
        (settings.out / name).write_bytes(made.files[name])
    scores = ", ".join(f"{name} {value:.4f}" for name, value in made.metrics.items())
    which = "the last" if settings.search.order == "TimeOrdered" else "other"
    log(f"on {which} {len(made.held_out)} rows: {scores}")
    log(f"{settings.out}: {made.candidate}, {made.digest}")
    log(f"serve it with: perennial-runtime serve {settings.out}")


def _check_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StepError(
            TrainingFailure.PUBLISH_FAILED,
            f"--out: expected a folder that is empty or does not exist, got {folder}",
        )
