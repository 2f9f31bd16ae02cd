"""Puts what was made into the store, so that who finds bundle.json finds all that it lists."""

from collections.abc import Mapping

from perennial_contracts.bundle import MANIFEST_NAME
from perennial_contracts.digest import digest_of
from perennial_contracts.outcome import LoadFailure
from perennial_contracts.training import TrainingFailure

from .errors import StepError
from .store import Folder

FIELD = "output.uri"
REPORT_NAME = "report.html"
DIGITS = 12


def publish_bundle(
    output: str, files: Mapping[str, bytes], report: bytes, retry_seconds: float
) -> str:
    """Puts a bundle into a folder named by its digest; a second time it changes nothing.

    Returns:
        The folder's URI, with a slash at its end.

    Raises:
        StepError: StoreUnreachable, or PublishFailed.
    """
    name = digest_of(files[MANIFEST_NAME]).removeprefix("sha256:")[:DIGITS]
    folder = _open(output, retry_seconds)
    try:
        found = folder.read_if_there(f"{name}/{MANIFEST_NAME}")
        if found is not None and found != files[MANIFEST_NAME]:
            raise StepError(
                TrainingFailure.PUBLISH_FAILED,
                f"{folder.describe(name)}: another bundle lies there. Give {FIELD} a folder of "
                "its own",
            )
        for path in sorted(files, key=lambda path: path == MANIFEST_NAME):
            if path == MANIFEST_NAME:
                folder.write(f"{name}/{REPORT_NAME}", report)
            folder.write(f"{name}/{path}", files[path])
    except StepError as error:
        raise _failure(error) from error
    return f"{folder.describe(name)}/"


def publish_report(output: str, job: str, report: bytes, retry_seconds: float) -> str:
    """Puts the report of a run whose model was rejected beside the bundles; its URI.

    Raises:
        StepError: StoreUnreachable, or PublishFailed.
    """
    folder, path = _open(output, retry_seconds), f"rejected/{job}/{REPORT_NAME}"
    try:
        folder.write(path, report)
    except StepError as error:
        raise _failure(error) from error
    return folder.describe(path)


def _open(output: str, retry_seconds: float) -> Folder:
    try:
        return Folder(output, FIELD, retry_seconds, create=True)
    except StepError as error:
        raise _failure(error) from error


def _failure(error: StepError) -> StepError:
    if error.reason in (LoadFailure.STORE_UNREACHABLE, TrainingFailure.PUBLISH_FAILED):
        return error
    return StepError(TrainingFailure.PUBLISH_FAILED, error.message)
