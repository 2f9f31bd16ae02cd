"""Where models lie: one small reader per kind of store."""

from .base import Blob, Location, Source, locate

__all__ = ["Blob", "Location", "Source", "locate"]
