"""What the kernel says of one process: alive, a zombie or reaped, whose child, how it ended, what it is doing."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import operator
import os
import select
import signal
import struct
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from autograder.stage.errors import StageError
from autograder.stage.users import looking_as, may_see_everybody, user_of
from forklab.kernel.signals import numbers_in
from forklab.lens.edge import proc

# struct pidfd_info and its ioctl, Linux 6.13; the exit status since 6.15. See linux/pidfd.h.
_GET_INFO = (3 << 30) | (64 << 16) | (0xFF << 8) | 11
_INFO_EXIT = 1 << 3
_EXIT_CODE_OFFSET = 60

# /proc/PID/stat as listed in proc(5), counted from the state, which is field 3.
_STATE, _PARENT, _FLAGS, _THREADS, _START, _WAIT_STATUS = 0, 1, 6, 17, 19, 49
_TIMES = slice(11, 15)  # utime, stime, cutime, cstime
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_EXITING = 0x4  # PF_EXITING, include/linux/sched.h

_MOST_BYTES = 4096

DEAD_STATES = frozenset("ZXx")
STOPPED_STATES = frozenset("Tt")


class Stat(NamedTuple):
    """/proc/PID/stat of a process that has not been reaped: state letter, parent's pid, threads, wait status.

    The letter is that of its first thread, unless that one alone has ended: then it is S, and the other threads tell
    more. `leaving`: it is on its way out; it may sleep there, as PID 1 does until everybody else in its namespace is
    dead.
    """

    state: str
    parent: int
    threads: int
    wait_status: int
    leaving: bool


@dataclass(frozen=True)
class Thread:
    """State letter and run times of one thread, as of processes."""

    state: str
    leaving: bool
    run_times: str


class Watched:
    """One process, held by a pidfd and by its open files in /proc, so that a reused pid is never mistaken for it.

    Every method may be called at any time, also after the process has been reaped. Raises ProcessLookupError from the
    constructor if it is gone already; StageError from everywhere if this machine does not let us look: who is short of
    descriptors must not take the living for dead.

    `known` answers what its tracer knows of it, where it has one: /proc says of who is traced that it is stopped.
    """

    def __init__(
        self,
        pid: int,
        pidfd: int | None = None,
        *,
        known: Callable[[], Stat | None] | None = None,
    ) -> None:
        self.pid = pid
        self._known = known
        self._files: dict[str, int] = {}
        with _our_trouble():
            self.pidfd = os.pidfd_open(pid) if pidfd is None else pidfd
            # To ask costs as much as all the rest.
            self.user = 0 if may_see_everybody() else user_of(pid)
        try:
            if known is None:
                self._read("stat")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for descriptor in (self.pidfd, *self._files.values()):
            os.close(descriptor)
        self._files.clear()

    def _read(self, file: str) -> bytes:
        """A file of /proc/PID, opened once.

        Raises ProcessLookupError if the process has been reaped, PermissionError if we may not look.
        """
        if self._known is not None and self._known() is None:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        try:
            if may_see_everybody():  # these are read often: no more is done than has to be
                return self._read_now(file)
            with looking_as(self.user):
                return self._read_now(file)
        except (ProcessLookupError, PermissionError):
            raise
        except OSError as error:
            raise _meaning(error) from error

    def _read_now(self, file: str) -> bytes:
        if file not in self._files:
            self._files[file] = os.open(f"/proc/{self.pid}/{file}", os.O_RDONLY)
        return os.pread(self._files[file], _MOST_BYTES, 0)

    def fields(self) -> list[str]:
        """Those of /proc/PID/stat, from the state on. Raises ProcessLookupError once it has been reaped."""
        return _fields(self._read("stat").decode(errors="replace"))

    def name(self) -> str:
        """As in /proc/PID/stat, which everybody may read. Raises ProcessLookupError once it has been reaped."""
        stat = self._read("stat").decode(errors="replace")
        return stat[stat.find("(") + 1 : stat.rfind(")")]

    def status(self, *words: str) -> list[str]:
        """What stands behind each of these words in /proc/PID/status. Raises ProcessLookupError once it is reaped."""
        content = self._read("status").decode(errors="replace")
        found = (content.partition(f"\n{word}:")[2] for word in words)
        return [rest.partition("\n")[0].strip() for rest in found]

    def stat(self) -> Stat | None:
        """None once it has been reaped: an open file then fails with ESRCH."""
        if self._known is not None:
            return self._known()
        try:
            fields = self.fields()
        except ProcessLookupError:
            return None
        state, threads = fields[_STATE], int(fields[_THREADS])
        if state in DEAD_STATES and not self.ended() and threads > 1:
            stopped = all(thread.state in STOPPED_STATES for thread in self.threads())
            state, leaving = "T" if stopped else "S", False
        else:
            leaving = state not in DEAD_STATES and bool(int(fields[_FLAGS]) & _EXITING)
        return Stat(state, int(fields[_PARENT]), threads, int(fields[_WAIT_STATUS]), leaving)

    def ended(self) -> bool:
        """Whether it is a zombie or gone. Exact at once: a pidfd is readable then, see pidfd_open(2)."""
        return ready(self.pidfd)

    def reaped(self) -> bool:
        """Whether it is gone from the process table. A zombie is not gone: it still holds its pid.

        Where pidfds tell, which they do since Linux 6.9, nobody has to look into /proc.
        """
        if self._known is None and pidfds_tell_of_reaping():
            return bool(_events(self.pidfd) & select.POLLHUP)
        return self.stat() is None

    def wait_status(self) -> int | None:
        """How it ended, as wait(2) tells; None while it lives, or if nobody can know any more.

        A zombie's stands in /proc/PID/stat, but as 0 for who may not trace it: newer kernels let nobody but root trace
        one whose program is not to be read, as an actor's. That of one that was reaped by somebody else is kept with
        the pidfd since Linux 6.15.
        """
        stat = self.stat()
        if stat is not None:
            if stat.state not in DEAD_STATES or (stat.wait_status == 0 and self._hides_its_end()):
                return None
            return stat.wait_status
        answer = bytearray(struct.pack("<Q", _INFO_EXIT) + bytes(56))
        try:
            fcntl.ioctl(self.pidfd, _GET_INFO, answer)
        except OSError:
            return None
        if not struct.unpack_from("<Q", answer)[0] & _INFO_EXIT:
            return None
        status: int = struct.unpack_from("<i", answer, _EXIT_CODE_OFFSET)[0]
        return status

    def _hides_its_end(self) -> bool:
        """Whether how it ended is not for us: then its namespaces are not, either."""
        with looking_as(self.user):
            try:
                os.readlink(f"/proc/{self.pid}/ns/user")
            except OSError as error:
                return error.errno == errno.EACCES
        return False

    def run_times(self) -> bytes:
        """Grows whenever the process runs: its times on and waiting for a CPU and its turns; empty once reaped."""
        try:
            return self._read("schedstat")
        except ProcessLookupError:
            return b""

    def cpu_nanoseconds(self) -> int:
        """How long it has run, all of its threads that are left together; 0 once reaped."""
        times = [self.run_times()]
        stat = self.stat()
        if stat is not None and stat.threads > 1:
            times += [_read_text(f"{thread}/schedstat").encode() for thread in self._threads()]
        return sum(int((time.split() or [b"0"])[0]) for time in times)

    def processor_seconds(self) -> float:
        """What it has used so far, with all those of its descendants that have been waited for; 0 once reaped."""
        try:
            return sum(map(int, self.fields()[_TIMES])) / _TICKS_A_SECOND
        except ProcessLookupError:
            return 0.0

    def pending(self) -> frozenset[int]:
        """The numbers of the signals that wait for it, blocked; or for its being continued.

        To who is traced the kernel keeps also those that it will drop: they wait until it goes on.
        """
        if self._known is not None:
            masks = proc.masks(self.pid, self.pid)
            waiting = masks.pending & masks.blocked | masks.deliverable if masks else 0
            return _numbers_in(waiting)
        return self._signals("SigPnd", "ShdPnd")

    def ignored(self) -> frozenset[int]:
        """The numbers of the signals that it ignores."""
        return self._signals("SigIgn")

    def _signals(self, *names: str) -> frozenset[int]:
        """Those in these masks of /proc/PID/status; none of one that is gone."""
        try:
            masks = self.status(*names)
        except ProcessLookupError:
            return frozenset()
        mask = functools.reduce(operator.or_, (int(mask, 16) for mask in masks))
        return _numbers_in(mask)

    def system_calls(self) -> list[str]:
        """/proc/PID/syscall of every thread, the main one first. Raises PermissionError if we may not look.

        The kernel answers when the thread has left its processor, else it says "running": who has told of its stop has
        told its parent by then.
        """
        calls = [self._read("syscall").decode()]
        stat = self.stat()
        if stat is not None and stat.threads > 1:
            with looking_as(self.user):
                calls += [_read_text(f"{thread}/syscall") for thread in self._threads()]
        return calls

    def functions(self) -> frozenset[str]:
        """The kernel's functions in which its threads sleep, as far as that can be known. See proc(5), wchan."""
        try:
            found = {self._read("wchan").decode()}
            with looking_as(self.user):
                return frozenset(
                    found | {_read_text(f"{thread}/wchan") for thread in self._threads()}
                )
        except (ProcessLookupError, PermissionError):
            return frozenset()

    def memory(self, address: int, size: int) -> bytes:
        """Raises OSError if there is no such memory or we may not look."""
        with looking_as(self.user), open(f"/proc/{self.pid}/mem", "rb", buffering=0) as memory:
            return os.pread(memory.fileno(), size, address)

    def children(self) -> list[int]:
        """The pids of its children, zombies included; empty if it is gone."""
        try:
            pids = self._read(f"task/{self.pid}/children").split()
            stat = self.stat()
            if stat is not None and stat.threads > 1:
                pids += [
                    pid.encode()
                    for thread in self._threads()
                    for pid in _read_text(f"{thread}/children").split()
                ]
        except ProcessLookupError:
            return []
        return [int(pid) for pid in pids]

    def threads(self) -> Iterator[Thread]:
        """Every thread but the main one."""
        for thread in self._threads():
            fields = _fields(_read_text(f"{thread}/stat"))
            leaving = not fields or bool(int(fields[_FLAGS]) & _EXITING)
            yield Thread(
                fields[_STATE] if fields else "X", leaving, _read_text(f"{thread}/schedstat")
            )

    def send(self, number: int) -> None:
        """Sends a signal; to one that is gone, silently nothing."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)

    def _threads(self) -> list[str]:
        """The folders of its threads but the main one."""
        try:
            with _our_trouble():
                names = os.listdir(f"/proc/{self.pid}/task")
        except ProcessLookupError:
            return []
        return [f"/proc/{self.pid}/task/{name}" for name in names if name != str(self.pid)]


@functools.cache
def pidfds_tell_of_reaping() -> bool:
    """Whether poll(2) says POLLHUP of the pidfd of a process that has been reaped; found out by trying, once."""
    child = subprocess.Popen(["true"], stdout=subprocess.DEVNULL)
    pidfd = os.pidfd_open(child.pid)
    try:
        child.wait()
        return bool(_events(pidfd) & select.POLLHUP)
    finally:
        os.close(pidfd)


@functools.lru_cache  # most are alike
def _numbers_in(mask: int) -> frozenset[int]:
    return frozenset(numbers_in(mask))


def _events(descriptor: int) -> int:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return dict(poll.poll(0)).get(descriptor, 0)


def ready(*descriptors: int, seconds: float = 0.0) -> bool:
    """Waits until one of them can be read, and says whether. select(2) knows no descriptors above 1023."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def parent_of(pid: int) -> int:
    """The pid of its parent; 0 if there is none to be seen."""
    fields = _fields(_read_text(f"/proc/{pid}/stat"))
    return int(fields[_PARENT]) if fields else 0


def started_at(pid: int) -> int:
    """When a process was started, in ticks since the machine was; 0 if it is gone."""
    fields = _fields(_read_text(f"/proc/{pid}/stat"))
    return int(fields[_START]) if fields else 0


def thread_group(thread: int) -> int:
    """The pid of the process to which a thread belongs; its own number if it is gone."""
    for line in _read_text(f"/proc/{thread}/status").splitlines():
        if line.startswith("Tgid:"):
            return int(line.split()[1])
    return thread


def is_the_last(thread: int) -> bool:
    """Whether no other thread of its process lives."""
    try:
        others = [tid for tid in os.listdir(f"/proc/{thread}/task") if int(tid) != thread]
    except OSError:
        return False
    return all(_state_of(tid) in ("", "Z", "X") for tid in others)


def _state_of(tid: str) -> str:
    """As proc(5) has it; "" if it is gone."""
    return next(iter(_fields(_read_text(f"/proc/{tid}/stat"))), "")


def _fields(stat: str) -> list[str]:
    """What stands behind the name of a program, in which there may be anything: see proc(5)."""
    return stat.rpartition(") ")[2].split()


def _read_text(path: str) -> str:
    """Empty if the process is gone: threads and processes end while we look."""
    try:
        with _our_trouble():
            return Path(path).read_text()
    except ProcessLookupError:
        return ""


@contextlib.contextmanager
def _our_trouble() -> Iterator[None]:
    """Tells apart what /proc says of a process, that it is gone or not ours to look at, and that we have trouble."""
    try:
        yield
    except (ProcessLookupError, PermissionError):
        raise
    except OSError as error:
        raise _meaning(error) from error


def _meaning(error: OSError) -> Exception:
    if isinstance(error, FileNotFoundError):
        return ProcessLookupError(error.errno, error.strerror, error.filename)
    return StageError(f"a process cannot be looked at: {error.strerror}")
