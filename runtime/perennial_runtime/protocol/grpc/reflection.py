"""grpc.reflection: the descriptors of the services. No I/O.

v1 and v1alpha have the same bytes.
"""

from functools import partial
from typing import Any

from google.protobuf.descriptor_pool import DescriptorPool

from ..shared.protobuf import parse, to_bytes
from ..tfs_grpc import schema as tensorflow
from .schema import FILES, POOL, SERVICES, message_class

_Request = message_class("grpc.reflection.v1.ServerReflectionRequest")
_Response = message_class("grpc.reflection.v1.ServerReflectionResponse")

_NOT_FOUND = 5
_INVALID_ARGUMENT = 3
"""gRPC's status codes. Here they are part of a response, and the stream continues."""


def reflect(message: bytes) -> bytes:
    """Return the response to one message of a ServerReflectionInfo stream.

    Raises:
        BadRequestError: if the message is no ServerReflectionRequest.
    """
    request = parse(_Request, message)
    response = _Response(valid_host=request.host, original_request=request)
    _fill(response, request)
    return to_bytes(response)


def _fill(response: Any, request: Any) -> None:
    kind = request.WhichOneof("message_request")
    if kind == "list_services":
        for service in (*SERVICES, *tensorflow.SERVICES):
            response.list_services_response.service.add(name=service)
    elif kind == "file_by_filename":
        name = request.file_by_filename
        pool = next((pool for pool, names in _NAMES.items() if name in names), None)
        if pool is not None:
            _add_file(response, pool.FindFileByName(name))
        else:
            files = ", ".join(name for names in _NAMES.values() for name in names)
            _fail(response, _NOT_FOUND, f"file: expected one of {files}, got {name!r}")
    elif kind == "file_containing_symbol":
        symbol = request.file_containing_symbol
        file = _file_of(symbol)
        if file is None:
            _fail(response, _NOT_FOUND, f"symbol: {symbol!r} does not exist")
        else:
            _add_file(response, file)
    elif kind == "all_extension_numbers_of_type":
        name = request.all_extension_numbers_of_type
        if not any(map(partial(_has_type, name), _NAMES)):
            _fail(response, _NOT_FOUND, f"type: {name!r} does not exist")
        else:
            response.all_extension_numbers_response.base_type_name = name
    elif kind == "file_containing_extension":
        _fail(response, _NOT_FOUND, "extension: the messages have no extensions")
    else:
        _fail(response, _INVALID_ARGUMENT, "message_request: expected a request, got none")


_NAMES = {POOL: tuple(f"{name}.proto" for name in FILES), tensorflow.POOL: tensorflow.FILES}
"""Names of the files, by pool."""


def _has_type(name: str, pool: DescriptorPool) -> bool:
    try:
        return bool(pool.FindMessageTypeByName(name))
    except KeyError:
        return False


def _file_of(symbol: str) -> Any:
    """Return the descriptor of the file that defines a symbol, or None."""
    for pool in _NAMES:
        try:
            return pool.FindFileContainingSymbol(symbol)
        except KeyError:
            # The pool finds services, but not their methods.
            service, _, method = symbol.rpartition(".")
            try:
                descriptor = pool.FindServiceByName(service)
            except KeyError:
                continue
            if method in descriptor.methods_by_name:
                return descriptor.file
    return None


def _add_file(response: Any, file: Any) -> None:
    # Clients request the imports of a file by name.
    response.file_descriptor_response.file_descriptor_proto.append(file.serialized_pb)


def _fail(response: Any, code: int, problem: str) -> None:
    response.error_response.error_code = code
    response.error_response.error_message = problem
