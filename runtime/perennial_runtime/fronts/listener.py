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
            address[:2], family=family, backlog=1024, dualstack_ipv6=dual
        )
    except OSError as error:
        raise ListenError(
            f"--host, --http-port, --grpc-port: cannot listen on {host} port {port}: "
            f"{error.strerror or error}"
        ) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


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
