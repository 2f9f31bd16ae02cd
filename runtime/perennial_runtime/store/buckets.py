"""Which bucket a URI means."""

from perennial_contracts.buckets import find
from perennial_contracts.wire.outcome import LoadFailure

from ..errors import LoadError
from .object_store import Bucket


def bucket_of(uri: str) -> tuple[Bucket, str] | None:
    """The bucket that a URI means and the key in it; see ``perennial_contracts.buckets.find``.

    Raises:
        LoadError: ModelNotFound for a URI without a bucket.
    """
    try:
        found = find(uri)
    except ValueError as error:
        raise LoadError(LoadFailure.MODEL_NOT_FOUND, str(error)) from error
    return (Bucket(found[0]), found[1]) if found else None
