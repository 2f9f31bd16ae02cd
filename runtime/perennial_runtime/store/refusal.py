"""What the refusals of object stores mean, for people."""

from dataclasses import dataclass

from perennial_contracts.outcome import LoadFailure

from ..errors import LoadError


@dataclass(frozen=True)
class Words:
    """How one kind of store refuses, and what helps."""

    bucket: str
    """What it calls the place that objects lie in."""
    no_bucket: str
    """Its code for a place that is not there."""
    unknown_key: tuple[str, ...]
    """Its codes for credentials that it does not know, where it gives them status 404."""
    metadata: tuple[str, ...]
    """Parts of the URLs where a cloud machine hands out its credentials; they are asked when there
    are no others."""
    variables: str
    """Those that it is set up by."""
    no_credentials: str
    """What to set, where there are none."""
    hidden: str
    """When it says "denied" of what is not there."""
    endpoint: str
    """The variable that holds its address."""


def failure(where: str, words: Words, error: Exception, purpose: str, setting: str) -> LoadError:
    """What went wrong at an object.

    Args:
        where: the object's URI.
        words: of the kind of store.
        error: what obstore raised.
        purpose: ``read`` or ``write``.
        setting: where the URI comes from.
    """
    from obstore import exceptions

    text = str(error)
    first_line = text.splitlines()[0] if text else type(error).__name__
    code = _code(text)
    if isinstance(error, FileNotFoundError) and code not in words.unknown_key:
        missing = words.no_bucket in text
        what = f"there is no such {words.bucket}" if missing else "no such object"
        return LoadError(LoadFailure.MODEL_NOT_FOUND, f"{where}: {what}. Check {setting}")
    refused = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
    if isinstance(error, (*refused, FileNotFoundError)):
        hint = f"; {words.hidden}" if words.hidden and purpose == "read" else ""
        return LoadError(
            LoadFailure.ACCESS_DENIED,
            f"{where}: access denied{f' ({code})' if code else ''}. Check the credentials and "
            f"their permission to {purpose}{hint}",
        )
    if any(sign in text for sign in words.metadata):
        return LoadError(
            LoadFailure.ACCESS_DENIED, f"{where}: no credentials. {words.no_credentials}"
        )
    if isinstance(error, (exceptions.InvalidPathError, ValueError)):
        return LoadError(LoadFailure.MODEL_NOT_FOUND, f"{where}: {first_line}. Check {setting}")
    if isinstance(error, (exceptions.UnknownConfigurationKeyError, TypeError)):
        return LoadError(LoadFailure.INTERNAL_ERROR, f"{where}: {first_line}")
    return LoadError(
        LoadFailure.STORE_UNREACHABLE,
        f"{where}: {_cause(text) or first_line}. Check {words.endpoint} and the network",
    )


def unusable(where: str, words: Words, error: Exception) -> LoadError:
    """Variables that obstore can make no use of, before anything was asked for over the network."""
    what = str(error).partition("\n")[0].rstrip(".")
    return LoadError(
        LoadFailure.ACCESS_DENIED, f"{where}: {what}. Check the credentials: {words.variables}"
    )


def _code(text: str) -> str:
    """The store's own word for a refusal, where it gave one.

    >>> _code("... <Code>SignatureDoesNotMatch</Code> ...")
    'SignatureDoesNotMatch'
    """
    _, found, rest = text.partition("<Code>")
    return rest.partition("</Code>")[0] if found else ""


def _cause(text: str) -> str:
    """What a failed connection failed at, from obstore's long description."""
    if "ConnectionRefused" in text:
        return "connection refused"
    if "dns error" in text or "failed to lookup" in text:
        return "the host name of the endpoint is not known"
    if "TimedOut" in text or "Timeout" in text or "timed out" in text:
        return "no answer in time"
    return ""
