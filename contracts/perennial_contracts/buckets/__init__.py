"""Buckets of S3, Google Cloud Storage and Azure: which one a URI means, which variables set up a
client, and what refusals mean. Pure: who reads and writes brings the client."""

from .clients import CLASS_OF, options_of
from .place import Kind, Place, find
from .refusal import refusal, unusable

__all__ = ["CLASS_OF", "Kind", "Place", "find", "options_of", "refusal", "unusable"]
