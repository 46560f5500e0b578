"""A PID namespace of its own for a traced program, so that its pids are the lecture's numbers, and real.

Inside, the tracer is PID 1: orphans become its children, and when it ends the kernel kills everybody. See
pid_namespaces(7), user_namespaces(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Callable

from forklab.lacking import last_words
from forklab.numbering import FIRST_PID

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS, _CLONE_NEWIPC = 0x00020000, 0x08000000
_CLONE_NEWUSER, _CLONE_NEWPID = 0x10000000, 0x20000000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 2, 4, 8, 1 << 14, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_REFUSED = 77  # the exit status of a helper that got no namespace


def die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def become_subreaper() -> None:
    """Orphans below us come to us; what a PID 1 has without asking."""
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def own_ipc() -> None:
    """Objects of System V, and POSIX message queues, of our own, if this machine allows it. See ipc_namespaces(7)."""
    _LIBC.unshare(_CLONE_NEWIPC)


def number_ipc(number: int) -> None:
    """The next object of System V of each kind gets this number, if this machine allows it."""
    for kind in ("sem", "msg", "shm"):
        with contextlib.suppress(OSError):
            _write(f"/proc/sys/kernel/{kind}_next_id", str(number))


def run_as_pid1(work: Callable[[], None]) -> bool:
    """Do `work` as PID 1 of a new PID namespace and wait for its end.

    False if this machine refuses: then nothing was done. The next process that `work` forks has pid 1000.
    """
    helper = os.fork()
    if helper == 0:
        _guarded(lambda: _enter(work))
    return _wait_for(helper) != _REFUSED


def _enter(work: Callable[[], None]) -> int:
    die_with_parent()
    if not _unshare():
        return _REFUSED
    pid1 = os.fork()
    if pid1 == 0:
        _guarded(lambda: _be_pid1(work))
    return _wait_for(pid1)


def _be_pid1(work: Callable[[], None]) -> int:
    die_with_parent()
    try:
        _mount_proc()
        _write("/proc/sys/kernel/ns_last_pid", str(FIRST_PID - 1))
    except OSError:
        return _REFUSED
    work()
    return 0


def _guarded(deed: Callable[[], int]) -> None:
    """Do it and end this process, whatever happens: it is a copy that must not return."""
    status = 1
    try:
        status = deed()
    except BaseException as error:
        # The recorder's standard error is read by whoever asked for the recording.
        os.write(2, last_words(error).encode(errors="replace"))
    finally:
        os._exit(status)


def _wait_for(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _unshare() -> bool:
    """As root without a user namespace, if that is allowed: then everything else is as it was."""
    user, group = os.geteuid(), os.getegid()
    if _LIBC.unshare(_CLONE_NEWPID | _CLONE_NEWNS) == 0:
        return True
    if _LIBC.unshare(_CLONE_NEWUSER | _CLONE_NEWPID | _CLONE_NEWNS) != 0:
        return False
    try:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
    except OSError:
        return False
    return True


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _mount_proc() -> None:
    """Raises OSError where the machine does not let us, as in many containers."""
    _mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE)
    _mount(b"proc", b"/proc", b"proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)


def _mount(source: bytes, target: bytes, kind: bytes | None, flags: int) -> None:
    if _LIBC.mount(source, target, kind, ctypes.c_ulong(flags), None) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"mount {target.decode()}: {os.strerror(error)}")
