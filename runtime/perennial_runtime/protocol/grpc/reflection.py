"""grpc.reflection: the descriptors of what is served, out of the schema itself. No I/O.

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
"""gRPC's status codes; here they are part of an answer, and the stream goes on."""


def reflect(message: bytes) -> bytes:
    """The answer to one message of a ServerReflectionInfo stream.

    Raises:
        BadRequestError: where the message is no ServerReflectionRequest.
    """
    request = parse(_Request, message)
    answer = _Response(valid_host=request.host, original_request=request)
    _fill(answer, request)
    return to_bytes(answer)


def _fill(answer: Any, request: Any) -> None:
    kind = request.WhichOneof("message_request")
    if kind == "list_services":
        for service in (*SERVICES, *tensorflow.SERVICES):
            answer.list_services_response.service.add(name=service)
    elif kind == "file_by_filename":
        name = request.file_by_filename
        pool = next((pool for pool, names in _NAMES.items() if name in names), None)
        if pool is not None:
            _add_file(answer, pool.FindFileByName(name))
        else:
            known = ", ".join(name for names in _NAMES.values() for name in names)
            _refuse(answer, _NOT_FOUND, f"file: expected one of {known}, got {name!r}")
    elif kind == "file_containing_symbol":
        symbol = request.file_containing_symbol
        file = _file_of(symbol)
        if file is None:
            _refuse(answer, _NOT_FOUND, f"symbol: nothing here has the name {symbol!r}")
        else:
            _add_file(answer, file)
    elif kind == "all_extension_numbers_of_type":
        name = request.all_extension_numbers_of_type
        if not any(map(partial(_has_type, name), _NAMES)):
            _refuse(answer, _NOT_FOUND, f"type: nothing here has the name {name!r}")
        else:
            answer.all_extension_numbers_response.base_type_name = name
    elif kind == "file_containing_extension":
        _refuse(answer, _NOT_FOUND, "extension: no message here has extensions")
    else:
        _refuse(answer, _INVALID_ARGUMENT, "message_request: expected one, got none")


_NAMES = {POOL: tuple(f"{name}.proto" for name in FILES), tensorflow.POOL: tensorflow.FILES}
"""The files of each pool."""


def _has_type(name: str, pool: DescriptorPool) -> bool:
    try:
        return bool(pool.FindMessageTypeByName(name))
    except KeyError:
        return False


def _file_of(symbol: str) -> Any:
    """The descriptor of the file that defines a symbol; None for none."""
    for pool in _NAMES:
        try:
            return pool.FindFileContainingSymbol(symbol)
        except KeyError:
            # The pool finds services, but not their methods.
            service, _, method = symbol.rpartition(".")
            try:
                found = pool.FindServiceByName(service)
            except KeyError:
                continue
            if method in found.methods_by_name:
                return found.file
    return None


def _add_file(answer: Any, file: Any) -> None:
    # A client asks for what a file imports by its name.
    answer.file_descriptor_response.file_descriptor_proto.append(file.serialized_pb)


def _refuse(answer: Any, code: int, problem: str) -> None:
    answer.error_response.error_code = code
    answer.error_response.error_message = problem
