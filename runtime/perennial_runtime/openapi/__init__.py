"""The OpenAPI 3.1 document of one model: its routes, with its own names, datatypes and shapes."""

from .document import openapi
from .operations import FRONT_ROUTES, V1_ROUTES, V2_ROUTES, Route

__all__ = ["FRONT_ROUTES", "V1_ROUTES", "V2_ROUTES", "Route", "openapi"]
