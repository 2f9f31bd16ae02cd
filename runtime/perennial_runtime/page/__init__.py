"""The page at ``GET /``: what the model is, and a form to ask it something. One file, no more."""

from .page import CONTENT_SECURITY_POLICY, CONTENT_TYPE, page_of

__all__ = ["CONTENT_SECURITY_POLICY", "CONTENT_TYPE", "page_of"]
