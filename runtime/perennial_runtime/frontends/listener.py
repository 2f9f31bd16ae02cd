"""The listening socket, and how to stop listening without dropping anybody."""

import ctypes
import socket
import struct

_SO_ATTACH_FILTER = 26
_REFUSE_SYN = (
    # Classic BPF over the TCP header: (operation, jump if true, jump if false, operand).
    (0x30, 0, 0, 13),  # load the byte with the flags
    (0x45, 0, 1, 0x02),  # is SYN set?
    (0x06, 0, 0, 0),  # yes: drop the packet
    (0x06, 0, 0, 0xFFFFFFFF),  # no: keep all of it
)


BACKLOG = 1024
"""Connections that may wait to be accepted."""


class ListenError(Exception):
    """A port that cannot be listened on; the text says which, and why."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; ``::`` takes IPv4 too.

    Raises:
        ListenError: where the address is in use, or is none of this machine's.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        dual = family == socket.AF_INET6 and host == "::" and socket.has_dualstack_ipv6()
        listener = socket.create_server(
            address[:2], family=family, backlog=BACKLOG, dualstack_ipv6=dual
        )
    except OSError as error:
        raise ListenError(
            f"--host, --http-port, --grpc-port: cannot listen on {host} port {port}: "
            f"{error.strerror or error}"
        ) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def twins(first: socket.socket, count: int) -> list[socket.socket]:
    """More sockets of a listening one's port, which get their share of it once they listen too.

    The first was bound without sharing, so a port in use by anybody else has been noticed.

    Raises:
        ListenError: where the system does not let a port be shared so.
    """
    try:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return [_twin(first) for _ in range(count)]
    except (OSError, AttributeError) as error:
        raise ListenError(f"--workers: the port cannot be shared by several: {error}") from error


def _twin(first: socket.socket) -> socket.socket:
    twin = socket.socket(first.family)
    options = [(socket.SOL_SOCKET, socket.SO_REUSEADDR), (socket.SOL_SOCKET, socket.SO_REUSEPORT)]
    options.append((socket.IPPROTO_TCP, socket.TCP_NODELAY))
    if first.family == socket.AF_INET6:
        options.append((socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
    try:
        for level, option in options:
            twin.setsockopt(level, option, first.getsockopt(level, option))
        twin.bind(first.getsockname())
    except OSError:
        twin.close()
        raise
    return twin


def refuse_connections(listener: socket.socket) -> bool:
    """Drops the first packet of new connections, so that the socket can be closed with none lost.

    Closing a listening socket resets the connections that the kernel has set up but that were not
    accepted yet, with the requests in them. Once no new ones can come, they are soon accepted all.
    The client of a dropped packet tries again by itself. Returns whether the kernel took it.
    """
    program = b"".join(struct.pack("HBBI", *step) for step in _REFUSE_SYN)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HP", len(_REFUSE_SYN), ctypes.addressof(buffer))
    try:
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, header)
    except OSError:
        return False
    return True
