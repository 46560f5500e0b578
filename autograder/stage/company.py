"""Plays of several graders at the same time, and one that has the machine for itself.

What could not be decided in company is played once more while no other play of this installation is on. The locks are
on files of our own (flock(2)), so they leave nothing behind, and end with whoever has them. Who is in already must not
ask once more: it would wait for somebody at the gate who waits for it to leave.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Who wants to be alone closes the gate first, then waits until the room is empty: else there would always be somebody.
_GATE = Path(__file__).with_name("__init__.py")
_ROOM = Path(__file__)
_OF_THIS_THREAD = threading.local()


@contextmanager
def in_company() -> Iterator[None]:
    """One play among others."""
    with _once():
        with _locked(_GATE, fcntl.LOCK_EX):
            room = _open(_ROOM, fcntl.LOCK_SH)
        try:
            yield
        finally:
            os.close(room)


@contextmanager
def alone() -> Iterator[None]:
    """One play, and no other of this installation until it is over."""
    with _once(), _locked(_GATE, fcntl.LOCK_EX), _locked(_ROOM, fcntl.LOCK_EX):
        yield


@contextmanager
def _once() -> Iterator[None]:
    """Raises RuntimeError if this thread is in already."""
    if getattr(_OF_THIS_THREAD, "is_in", False):
        raise RuntimeError("a play within a play would wait for ever")
    _OF_THIS_THREAD.is_in = True
    try:
        yield
    finally:
        _OF_THIS_THREAD.is_in = False


@contextmanager
def _locked(file: Path, operation: int) -> Iterator[None]:
    descriptor = _open(file, operation)
    try:
        yield
    finally:
        os.close(descriptor)


def _open(file: Path, operation: int) -> int:
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(
            OSError
        ):  # a file system without locks: then there is only company
            fcntl.flock(descriptor, operation)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
