"""Content digests, written as OCI writes them: ``sha256:`` and 64 hexadecimal digits."""

import hashlib
import re

DIGEST_PATTERN = r"^sha256:[0-9a-f]{64}$"


def digest_of(data: bytes) -> str:
    """The digest of some bytes.

    >>> digest_of(b"")[:15]
    'sha256:e3b0c442'
    """
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def is_digest(text: str) -> bool:
    """Whether the text is a digest in the one form that is understood here."""
    return re.fullmatch(DIGEST_PATTERN, text) is not None
