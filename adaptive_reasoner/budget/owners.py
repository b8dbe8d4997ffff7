"""Whose reservation it is, and whether that process has ended.

Only what is certain counts: a process on another machine may be alive, and one whose number was given to another
seems to be. Then its reservation is left alone until its lease ends.
"""

import os
import socket
import uuid
from functools import cache
from pathlib import Path


def this_process() -> str:
    """A name for this process that no earlier or other one has."""
    return f"{_machine()}|{os.getpid()}|{_nonce(os.getpid())}"


def has_ended(owner: str) -> bool:
    """True if the process of that name has certainly ended."""
    machine, _, rest = owner.partition("|")
    number = rest.partition("|")[0]
    if machine != _machine() or not number.isdigit() or owner == this_process():
        return False
    if int(number) == os.getpid():  # an earlier process had the number of this one
        return True
    return os.name == "posix" and _is_gone(int(number))


def _is_gone(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@cache
def _machine() -> str:
    """The host's name, and on Linux the namespace in which process numbers mean anything."""
    namespace = Path("/proc/self/ns/pid")
    return f"{socket.gethostname()}/{namespace.stat().st_ino if namespace.exists() else 0}"


@cache
def _nonce(_number: int) -> str:
    """One for each process; a fork has another number, and so another one."""
    return uuid.uuid4().hex
