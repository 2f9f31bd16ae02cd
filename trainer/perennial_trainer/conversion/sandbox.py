"""Removal of the network: a filter of system calls that the process cannot remove.

``program`` builds the filter, ``lock`` installs it for all threads and their child processes.
"""

import ctypes
import errno
import os
import platform
import socket
import struct
from dataclasses import dataclass

from perennial_contracts.wire.outcome import LoadFailure

from ..errors import StepError

# linux/bpf_common.h, linux/seccomp.h, linux/prctl.h
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_KILL, _ALLOW, _ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
_REFUSE = _ERRNO | errno.EPERM
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_SET_MODE_FILTER, _FLAG_TSYNC = 1, 1
# struct seccomp_data: the call's number, the architecture, the first argument's lower half.
_NUMBER, _ARCHITECTURE, _ARGUMENT = 0, 4, 16
_IO_URING = (425, 426, 427)
"""Setup, enter and register: a ring opens sockets without the filtered call."""
_FOREIGN_CALLS = 0x40000000
"""First number of the calls of x32, which has another number for ``socket``."""


@dataclass(frozen=True)
class Machine:
    """Numbers of an architecture (linux/audit.h, asm/unistd.h)."""

    audit: int
    socket: int
    seccomp: int


MACHINES = {
    "x86_64": Machine(audit=0xC000003E, socket=41, seccomp=317),
    "aarch64": Machine(audit=0xC00000B7, socket=198, seccomp=277),
}


def program(machine: Machine) -> bytes:
    """Return the filter, an array of ``struct sock_filter``.

    ``socket`` fails with EPERM except for AF_UNIX, and io_uring always fails. A call with the
    numbers of another architecture ends the process.
    """
    # Jumps give the number of instructions to skip.
    return b"".join(
        struct.pack("<HBBI", *instruction)
        for instruction in (
            (_LOAD, 0, 0, _ARCHITECTURE),
            (_EQUAL, 0, 9, machine.audit),
            (_LOAD, 0, 0, _NUMBER),
            (_AT_LEAST, 7, 0, _FOREIGN_CALLS),
            *((_EQUAL, 5 - index, 0, number) for index, number in enumerate(_IO_URING)),
            (_EQUAL, 0, 3, machine.socket),
            (_LOAD, 0, 0, _ARGUMENT),
            (_EQUAL, 1, 0, socket.AF_UNIX),
            (_RETURN, 0, 0, _REFUSE),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _KILL),
        )
    )


class _Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def lock() -> None:
    """Remove the network from this process, its threads and children, permanently.

    Raises:
        StepError: InternalError if that fails. Then nothing untrusted may be read.
    """
    name = platform.machine()
    machine = MACHINES.get(name)
    if platform.system() != "Linux" or machine is None:
        raise _failure(f"expected Linux on {' or '.join(MACHINES)}, got {platform.system()} {name}")
    libc = ctypes.CDLL(None, use_errno=True)
    code = program(machine)
    whole = _Program(len(code) // 8, code)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise _failure(f"prctl: {os.strerror(ctypes.get_errno())}")
    # prctl would affect only this thread, but libraries have started others.
    if libc.syscall(machine.seccomp, _SECCOMP_SET_MODE_FILTER, _FLAG_TSYNC, ctypes.byref(whole)):
        raise _failure(f"seccomp: {os.strerror(ctypes.get_errno())}")
    try:
        socket.socket(socket.AF_INET).close()
    except PermissionError:
        return
    raise _failure("a socket can still be created")


def _failure(problem: str) -> StepError:
    return StepError(
        LoadFailure.INTERNAL_ERROR,
        f"the conversion cannot be cut off from the network: {problem}. Nothing was read",
    )
