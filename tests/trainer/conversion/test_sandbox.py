"""The sandbox of the conversion, which has no network."""

import subprocess
import sys

import pytest

from perennial_trainer.conversion import sandbox

LOCK = "from perennial_trainer.conversion.sandbox import lock; lock()\n"


def in_process(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", LOCK + code], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or done.stderr.strip() or str(done.returncode)


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"])
def test_no_network_socket_can_be_created(family: str) -> None:
    code = f"""
import socket
try: socket.socket(socket.{family}, socket.SOCK_DGRAM)
except PermissionError as error: print(error.errno)
"""
    assert in_process(code) == "1"


def test_earlier_threads_and_children_are_locked_too() -> None:
    code = """
import socket, subprocess, sys, threading
from perennial_trainer.conversion.sandbox import lock
go, results = threading.Event(), []
def old():
    go.wait()
    try: socket.socket(); results.append("open")
    except PermissionError: results.append("locked")
thread = threading.Thread(target=old); thread.start()
lock(); go.set(); thread.join()
child = "import socket\\ntry: socket.socket(); print('open')"
child += "\\nexcept PermissionError: print('locked')"
done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True)
print(*results, done.stdout.strip())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["locked", "locked"], done.stderr


def test_rings_are_rejected_and_local_sockets_are_not() -> None:
    code = """
import ctypes, errno, socket
libc = ctypes.CDLL(None, use_errno=True)
ring = libc.syscall(425, 1, ctypes.create_string_buffer(120))
print(ring, errno.errorcode[ctypes.get_errno()], len(socket.socketpair()))
socket.socket(socket.AF_UNIX).close()
"""
    assert in_process(code) == "-1 EPERM 2"


def test_the_filter_depends_on_the_architecture() -> None:
    programs = [sandbox.program(machine) for machine in sandbox.MACHINES.values()]
    assert len(set(programs)) == 2
    assert all(len(program) == 8 * 13 for program in programs)
