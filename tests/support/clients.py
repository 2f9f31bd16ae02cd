"""Libraries of gRPC clients, all in one process.

Each contains its own messages of the package ``inference``, and a pool of protobuf accepts only one
of these. Therefore each library gets its own pool.
"""

import importlib
from types import ModuleType
from unittest import mock

from google.protobuf.descriptor_pool import DescriptorPool


def imported(name: str) -> ModuleType:
    """Import a module with its own pool of messages."""
    pool = DescriptorPool()
    with mock.patch("google.protobuf.descriptor_pool.Default", return_value=pool):
        return importlib.import_module(name)
