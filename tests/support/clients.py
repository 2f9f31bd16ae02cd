"""gRPC clients' libraries, all in one process.

Each brings its own file with the messages of the package ``inference``, and protobuf takes only
one of those into its pool. So each gets a pool of its own.
"""

import importlib
from types import ModuleType
from unittest import mock

from google.protobuf.descriptor_pool import DescriptorPool


def imported(name: str) -> ModuleType:
    """A module, imported with a pool of its own for its messages."""
    pool = DescriptorPool()
    with mock.patch("google.protobuf.descriptor_pool.Default", return_value=pool):
        return importlib.import_module(name)
