"""Publishing into the store: bundle.json is written after all other files."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from perennial_contracts.wire.bundle import MANIFEST_NAME
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.modelcard import REPORT_NAME
from perennial_contracts.wire.run_plan import TrainingFailure
from perennial_storage.errors import StorageError
from perennial_storage.folder import Folder

from ..errors import StepError

FIELD = "output.uri"
"""The field of a run with the output's URI; prepare has another."""
DIGITS = 12


def publish_bundle(
    output: str,
    files: Mapping[str, bytes],
    beside: Mapping[str, bytes],
    retry_seconds: float,
    field: str = FIELD,
) -> str:
    """Write a bundle into a folder named by its digest; a second time changes nothing.

    Args:
        output: URI of the parent folder.
        files: the bundle's files.
        beside: files that are not part of the bundle, because they contain times: report and model
            card.
        retry_seconds: how long to retry a store that cannot be reached.
        field: the field with the URI, for messages.

    Returns:
        The URI of the folder, with a slash at its end.

    Raises:
        StepError: StoreUnreachable or PublishFailed.
    """
    name = digest_of(files[MANIFEST_NAME]).removeprefix("sha256:")[:DIGITS]
    with _publishing():
        folder = Folder(output, field, retry_seconds, create=True)
        found = folder.read_if_exists(f"{name}/{MANIFEST_NAME}")
        if found is not None and found != files[MANIFEST_NAME]:
            raise _occupied(folder, name, "another bundle")
        if found is None:
            # An interrupted attempt may have left a report with other times.
            for path, data in beside.items():
                folder.write(f"{name}/{path}", data)
            for path, data in sorted(files.items(), key=lambda file: file[0] == MANIFEST_NAME):
                if not folder.write_new(f"{name}/{path}", data):
                    raise _occupied(folder, f"{name}/{path}", "a file with other contents")
    return f"{folder.describe(name)}/"


def publish_report(output: str, job: str, beside: Mapping[str, bytes], retry_seconds: float) -> str:
    """Write report and model card of a rejected model; return the report's URI.

    Raises:
        StepError: StoreUnreachable or PublishFailed.
    """
    with _publishing():
        folder = Folder(output, FIELD, retry_seconds, create=True)
        for name, data in beside.items():
            folder.write(f"rejected/{job}/{name}", data)
    return folder.describe(f"rejected/{job}/{REPORT_NAME}")


@contextmanager
def _publishing() -> Iterator[None]:
    """Report every failure of the store as PublishFailed, unless it is unreachable."""
    try:
        yield
    except StorageError as error:
        failure = StepError.from_storage(error)
        if not error.is_retryable:
            failure = failure.with_reason(TrainingFailure.PUBLISH_FAILED)
        raise failure from error


def _occupied(folder: Folder, path: str, content: str) -> StepError:
    return StepError(
        TrainingFailure.PUBLISH_FAILED,
        f"{content} exists here",
        field=folder.describe(path),
        hint=f"Give {folder.field} a folder of its own",
    )
