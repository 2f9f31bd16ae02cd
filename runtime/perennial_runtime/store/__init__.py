"""Where models lie: one small reader per kind of store."""

from .base import Blob, Source
from .location import Location, locate

__all__ = ["Blob", "Location", "Source", "locate"]
