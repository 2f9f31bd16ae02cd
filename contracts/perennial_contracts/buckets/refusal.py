"""What the refusals of object stores mean, for people."""

from ..refusal import Refusal
from ..wire.outcome import LoadFailure
from .place import Kind
from .words import WORDS

_REFUSED = {"PermissionDeniedError", "UnauthenticatedError"}
_INVALID = {"InvalidPathError", "ValueError"}
_MISCONFIGURED = {"UnknownConfigurationKeyError", "TypeError"}


def refusal(where: str, kind: Kind, error: Exception, purpose: str, setting: str) -> Refusal:
    """What went wrong at an object.

    Args:
        where: the object's URI.
        kind: of store.
        error: what obstore raised; its exceptions are told by their names.
        purpose: ``read`` or ``write``.
        setting: where the URI comes from.
    """
    words = WORDS[kind]
    text = str(error)
    first_line = text.splitlines()[0] if text else type(error).__name__
    code = _code(text)
    names = {base.__name__ for base in type(error).__mro__}
    missing = isinstance(error, FileNotFoundError)
    # A listing of a bucket that is not there fails as any request may, but says the same.
    no_bucket = f"<Code>{words.no_bucket}</Code>" in text or (missing and words.no_bucket in text)
    if no_bucket or (missing and code not in words.unknown_key):
        what = f"there is no such {words.bucket}" if no_bucket else "no such object"
        return Refusal(LoadFailure.MODEL_NOT_FOUND, f"{where}: {what}. Check {setting}")
    if missing or names & _REFUSED:
        hint = f"; {words.hidden}" if words.hidden and purpose == "read" else ""
        return Refusal(
            LoadFailure.ACCESS_DENIED,
            f"{where}: access denied{f' ({code})' if code else ''}. Check the credentials and "
            f"their permission to {purpose}{hint}",
        )
    if any(sign in text for sign in words.metadata):
        return Refusal(
            LoadFailure.ACCESS_DENIED, f"{where}: no credentials. {words.no_credentials}"
        )
    if names & _INVALID:
        return Refusal(LoadFailure.MODEL_NOT_FOUND, f"{where}: {first_line}. Check {setting}")
    if names & _MISCONFIGURED:
        return Refusal(LoadFailure.INTERNAL_ERROR, f"{where}: {first_line}")
    return Refusal(
        LoadFailure.STORE_UNREACHABLE,
        f"{where}: {cause_of(text) or first_line}. Check {words.endpoint} and the network",
    )


def unusable(where: str, kind: Kind, error: Exception) -> Refusal:
    """Variables that obstore can make no use of, before anything was asked for over the network."""
    what = str(error).partition("\n")[0].rstrip(".")
    return Refusal(
        LoadFailure.ACCESS_DENIED,
        f"{where}: {what}. Check the credentials: {WORDS[kind].variables}",
    )


def cause_of(text: str) -> str:
    """What a failed connection failed at, from obstore's long description; empty if unknown."""
    if "ConnectionRefused" in text:
        return "connection refused"
    if "dns error" in text or "failed to lookup" in text:
        return "the host name of the endpoint is not known"
    if "TimedOut" in text or "Timeout" in text or "timed out" in text:
        return "no answer in time"
    return ""


def _code(text: str) -> str:
    """The store's own word for a refusal, where it gave one.

    >>> _code("... <Code>SignatureDoesNotMatch</Code> ...")
    'SignatureDoesNotMatch'
    """
    _, found, rest = text.partition("<Code>")
    return rest.partition("</Code>")[0] if found else ""
