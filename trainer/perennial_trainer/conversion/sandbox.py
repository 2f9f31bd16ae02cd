"""No network from here on: a filter of system calls that no code of the process can take off.

``program`` builds the filter, ``lock`` installs it for all threads and whatever they start.
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
"""Setup, enter and register: a ring opens sockets without the call that is filtered."""
_FOREIGN_CALLS = 0x40000000
"""Numbers from here on are those of x32, which has another number for ``socket``."""


@dataclass(frozen=True)
class Machine:
    """What an architecture calls things (linux/audit.h, asm/unistd.h)."""

    audit: int
    socket: int
    seccomp: int


MACHINES = {
    "x86_64": Machine(audit=0xC000003E, socket=41, seccomp=317),
    "aarch64": Machine(audit=0xC00000B7, socket=198, seccomp=277),
}


def program(machine: Machine) -> bytes:
    """The filter, as an array of ``struct sock_filter``.

    ``socket`` is refused with EPERM but for AF_UNIX, io_uring wholly; a call by the numbers of
    another architecture ends the process.
    """
    # Jumps count the instructions that are skipped.
    return b"".join(
        struct.pack("<HBBI", *instruction)
        for instruction in (
            (_LOAD, 0, 0, _ARCHITECTURE),
            (_EQUAL, 0, 9, machine.audit),
            (_LOAD, 0, 0, _NUMBER),
            (_AT_LEAST, 7, 0, _FOREIGN_CALLS),
            *((_EQUAL, 5 - place, 0, number) for place, number in enumerate(_IO_URING)),
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
    """Takes the network from this process, all its threads and children, for good.

    Raises:
        StepError: InternalError where that does not work; nothing untrusted may be read then.
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
    # prctl would bind this thread alone; libraries have started others by now.
    if libc.syscall(machine.seccomp, _SECCOMP_SET_MODE_FILTER, _FLAG_TSYNC, ctypes.byref(whole)):
        raise _failure(f"seccomp: {os.strerror(ctypes.get_errno())}")
    try:
        socket.socket(socket.AF_INET).close()
    except PermissionError:
        return
    raise _failure("a socket could be made all the same")


def _failure(problem: str) -> StepError:
    return StepError(
        LoadFailure.INTERNAL_ERROR,
        f"the network cannot be taken from the conversion: {problem}. Nothing was read",
    )
