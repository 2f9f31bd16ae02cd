"""Where models lie: one small reader per kind of store."""

from .base import Blob, OverwrittenError, Source, Span
from .location import Location, locate

__all__ = ["Blob", "Location", "OverwrittenError", "Source", "Span", "locate"]
