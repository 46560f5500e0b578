"""The system calls at which the lens stops a program, by what they mean to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

CLOCKS = frozenset({"clock_gettime", "gettimeofday", "time"})
SLEEPS = frozenset({"nanosleep", "clock_nanosleep"})
TIMERS = frozenset({"alarm", "setitimer", "getitimer"}) | frozenset(
    {"timer_create", "timer_settime", "timer_gettime", "timer_delete"}
)
WAITS = frozenset({"wait4", "waitid"})
WRITES = frozenset({"write", "writev", "pwrite64", "sendfile", "splice"})
READS = frozenset({"read", "readv", "recvfrom", "recvmsg", "accept", "accept4", "connect", "flock"})
SIGNALLING = frozenset(
    {"kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"}
)
SUSPENDING = frozenset({"pause", "rt_sigsuspend"})
# What runs in real time, and so makes a run one of its kind.
UNTIMED = frozenset({"timerfd_settime"})


class Form(Enum):
    """How a call is told how long to wait."""

    MILLISECONDS = 1
    TIMESPEC = 2
    TIMEVAL = 3


@dataclass(frozen=True)
class Patience:
    """A call that waits for something, for so long at most.

    `place` is that of the argument that says how long; `expired` is what the call returns when that is over.
    """

    place: int
    form: Form
    expired: int = 0

    @property
    def for_ever(self) -> int:
        """The argument that means: no limit."""
        return -1 if self.form is Form.MILLISECONDS else 0


_EAGAIN, _ETIMEDOUT = 11, 110

PATIENT: Mapping[str, Patience] = {
    "poll": Patience(2, Form.MILLISECONDS),
    "ppoll": Patience(2, Form.TIMESPEC),
    "select": Patience(4, Form.TIMEVAL),
    "pselect6": Patience(4, Form.TIMESPEC),
    "epoll_wait": Patience(3, Form.MILLISECONDS),
    "epoll_pwait": Patience(3, Form.MILLISECONDS),
    "epoll_pwait2": Patience(3, Form.TIMESPEC),
    "rt_sigtimedwait": Patience(2, Form.TIMESPEC, -_EAGAIN),
    "futex": Patience(3, Form.TIMESPEC, -_ETIMEDOUT),
}

# What a program may do over and over while it looks at the clock until a moment has come.
IDLING = PATIENT.keys()

ALWAYS = WAITS | SIGNALLING | frozenset({"write", "writev", "rt_sigaction"})
IN_VIRTUAL_TIME = (
    ALWAYS
    | CLOCKS
    | SLEEPS
    | TIMERS
    | WRITES
    | READS
    | SUSPENDING
    | UNTIMED
    | PATIENT.keys()
    | frozenset({"restart_syscall"})
)

# At these, too, every process is held while all schedules of a program are explored.
FORKS = frozenset({"fork", "vfork", "clone", "clone3"})
EXECS = frozenset({"execve", "execveat"})
EXITS = frozenset({"exit", "exit_group"})
CLOSING = frozenset({"close", "close_range", "dup2", "dup3"})
PIPES = frozenset({"pipe", "pipe2"})
OPENING = frozenset({"open", "openat", "creat"})
SHARING = frozenset({"mmap", "shmget"})
# They change only what the process itself is, and what comes to it.
PERSONAL = frozenset({"rt_sigaction", "rt_sigprocmask", "setpgid", "setsid", "getppid"})
IN_EVERY_ORDER = (
    IN_VIRTUAL_TIME
    | FORKS
    | EXECS
    | EXITS
    | CLOSING
    | PIPES
    | OPENING
    | SHARING
    | PERSONAL
    | frozenset({"socket", "socketpair"})
)

# futex(2): the operation's low bits, and those of it that wait.
FUTEX_COMMAND = 0x7F
FUTEX_CLOCK_REALTIME = 0x100
FUTEX_WAIT = 0
FUTEX_ABSOLUTE_WAITS = frozenset({6, 9, 11, 13})  # LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2

# wait(2).
WNOHANG, WSTOPPED, WCONTINUED, WNOWAIT = 1, 2, 8, 0x01000000
P_ALL, P_PID, P_PGID, P_PIDFD = 0, 1, 2, 3

# "A syscall that was interrupted": -ERESTARTSYS, NOINTR, NOHAND, _RESTARTBLOCK; only a tracer sees these numbers.
INTERRUPTED = frozenset({-512, -513, -514, -516})


def int32(argument: int) -> int:
    """A register that holds an int: its upper half is not to be trusted."""
    return (argument & 0xFFFFFFFF ^ 0x80000000) - 0x80000000
