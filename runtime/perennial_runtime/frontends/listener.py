"""Listening sockets: open them, share their ports, close them without a loss."""

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
"""Number of connections that may wait to be accepted."""


class ListenError(Exception):
    """A port cannot be listened on. The message names the port and the cause."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; with the host ``::`` it accepts IPv4 too.

    Raises:
        ListenError: if the address is in use, or does not belong to this machine.
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


def share_port(listener: socket.socket, count: int) -> list[socket.socket]:
    """Return ``count`` sockets of a listening socket's port, that socket among them.

    The new sockets get connections when they listen too. The first socket was bound without
    sharing, so a port that another program uses has already been rejected.

    Raises:
        ListenError: if the system cannot share a port.
    """
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return [listener, *(_bind_again(listener) for _ in range(count - 1))]
    except (OSError, AttributeError) as error:
        raise ListenError(f"--workers: the port cannot be shared by several: {error}") from error


def _bind_again(listener: socket.socket) -> socket.socket:
    other = socket.socket(listener.family)
    options = [(socket.SOL_SOCKET, socket.SO_REUSEADDR), (socket.SOL_SOCKET, socket.SO_REUSEPORT)]
    options.append((socket.IPPROTO_TCP, socket.TCP_NODELAY))
    if listener.family == socket.AF_INET6:
        options.append((socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
    try:
        for level, option in options:
            other.setsockopt(level, option, listener.getsockopt(level, option))
        other.bind(listener.getsockname())
    except OSError:
        other.close()
        raise
    return other


def refuse_connections(listener: socket.socket) -> bool:
    """Drop the first packet of each new connection, before the socket is closed.

    Closing a listening socket resets the connections that the kernel has set up and the program has
    not accepted, with the requests in them. If no new ones can arrive, all are soon accepted. The
    client of a dropped packet retries by itself.

    Returns:
        True if the kernel accepted the filter.
    """
    program = b"".join(struct.pack("HBBI", *step) for step in _REFUSE_SYN)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HP", len(_REFUSE_SYN), ctypes.addressof(buffer))
    try:
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, header)
    except OSError:
        return False
    return True
