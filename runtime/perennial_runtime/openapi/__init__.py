"""The OpenAPI 3.1 document of one model, with its names, datatypes and shapes."""

from .document import openapi
from .operations import SERVER_OPERATIONS, V1_OPERATIONS, V2_OPERATIONS, Operation

__all__ = [
    "SERVER_OPERATIONS",
    "V1_OPERATIONS",
    "V2_OPERATIONS",
    "Operation",
    "openapi",
]
