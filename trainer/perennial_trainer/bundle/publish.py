"""Puts what was made into the store, so that who finds bundle.json finds all that it lists."""

from collections.abc import Mapping

from perennial_contracts.wire.bundle import MANIFEST_NAME
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.modelcard import REPORT_NAME
from perennial_contracts.wire.run_plan import TrainingFailure
from perennial_storage.errors import StorageError
from perennial_storage.folder import Folder

from ..errors import StepError

FIELD = "output.uri"
"""The setting of a run that says where; prepare has another."""
DIGITS = 12


def publish_bundle(
    output: str,
    files: Mapping[str, bytes],
    beside: Mapping[str, bytes],
    retry_seconds: float,
    field: str = FIELD,
) -> str:
    """Puts a bundle into a folder named by its digest; a second time it changes nothing.

    Args:
        output: the folder's parent.
        files: the bundle's.
        beside: what is told of it and not part of it, as it holds times: report and model card.
        retry_seconds: how long an unreachable store is tried again.
        field: the setting that says where, for messages.

    Returns:
        The folder's URI, with a slash at its end.

    Raises:
        StepError: StoreUnreachable, or PublishFailed.
    """
    name = digest_of(files[MANIFEST_NAME]).removeprefix("sha256:")[:DIGITS]
    folder = _open(output, retry_seconds, field)
    try:
        found = folder.read_if_exists(f"{name}/{MANIFEST_NAME}")
        if found is not None and found != files[MANIFEST_NAME]:
            raise StepError(
                TrainingFailure.PUBLISH_FAILED,
                f"{folder.describe(name)}: another bundle lies there. Give {field} a folder of "
                "its own",
            )
        if found is None:
            # An attempt that broke off may have left reports of another time.
            for path, data in beside.items():
                folder.write(f"{name}/{path}", data)
            for path, data in sorted(files.items(), key=lambda file: file[0] == MANIFEST_NAME):
                if not folder.write_new(f"{name}/{path}", data):
                    raise StepError(
                        TrainingFailure.PUBLISH_FAILED,
                        f"{folder.describe(f'{name}/{path}')}: a file with other contents exists. "
                        f"Give {field} a folder of its own",
                    )
    except StorageError as error:
        raise _failure(error) from error
    return f"{folder.describe(name)}/"


def publish_report(output: str, job: str, beside: Mapping[str, bytes], retry_seconds: float) -> str:
    """Puts what is told of a model that was rejected beside the bundles; the report's URI.

    Raises:
        StepError: StoreUnreachable, or PublishFailed.
    """
    folder = _open(output, retry_seconds, FIELD)
    try:
        for name, data in beside.items():
            folder.write(f"rejected/{job}/{name}", data)
    except StorageError as error:
        raise _failure(error) from error
    return folder.describe(f"rejected/{job}/{REPORT_NAME}")


def _open(output: str, retry_seconds: float, field: str) -> Folder:
    try:
        return Folder(output, field, retry_seconds, create=True)
    except StorageError as error:
        raise _failure(error) from error


def _failure(error: StorageError) -> StepError:
    failure = StepError.from_storage(error)
    return failure if error.is_retryable else failure.with_reason(TrainingFailure.PUBLISH_FAILED)
