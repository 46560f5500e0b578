"""What a call has to do with that processes share: which files, names, locks, priorities ... Told by calls.txt.

A resource is told, which others can notice, or only asked. Its name is for people and the same in each run:

    name /tmp/a     whether there is something of this name, and what
    file /tmp/a     what is in a file, its size, its mode; and where in it those stand who share a descriptor
    folder /tmp     which names are in it
    lock /tmp/a     the locks of a file
    process P.1     its priority and limits
    life P.1        whether there still is such a process, a zombie too
    eventfd P/1     what is in a channel, fifo /tmp/a: see `forklab.lens.world.channels`
    pending P.1     the signals that are pending for it, where it reads them by signalfd(2)
    host, semaphores, messages, queues, epolls, signalfds

Names may be too coarse, but never too fine: two calls of which one can notice the other have one in common.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections.abc import Callable, Iterator, Mapping

from forklab.kernel.calls import CALLS, Concern, Sort, calls_in, int32
from forklab.lens.calls import paths, posting, sockets
from forklab.lens.calls.arranging import PR_SET_CHILD_SUBREAPER
from forklab.lens.calls.subjects import (
    NotModelledError,
    Touches,
    counts_its_threads,
    is_terminal,
    of_descriptor,
    of_path,
    of_process,
    of_subject,
)
from forklab.lens.edge import descriptors, ptrace
from forklab.lens.world.channels import Opening, is_fifo
from forklab.lens.world.run import Run
from forklab.lens.world.surroundings import identity
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import TERMINAL, Touch

_WRITABLE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
# A lock, what SEM_UNDO takes back, a file in memory, a signal when others do something.
_LAST = frozenset({"flock", "semop", "semtimedop", "mmap", "mq_notify"})
_PRIO_PROCESS = 0
_MAP_ANONYMOUS = 0x20
# PR_GET_ this and that, PR_CAPBSET_READ, PR_SET_DUMPABLE (4), PR_SET_NAME (15).
_PRIVATE_PRCTLS = frozenset({2, 3, 4, 7, 15, 16, 21, 23, 27, 30, 37, 39, 40, 42})
_F_DUPFD, _F_GETFD, _F_SETFD, _F_GETFL, F_SETFL, _F_DUPFD_CLOEXEC = 0, 1, 2, 3, 4, 1030
_OF_DESCRIPTORS = (_F_DUPFD, _F_GETFD, _F_SETFD, _F_DUPFD_CLOEXEC)
_UNFOLLOWED = 0x2000 | os.O_DIRECT  # O_ASYNC, and of a pipe: packets
F_GETLK, F_SETLK, F_SETLKW = 5, 6, 7
_TCGETS, _TIOCGWINSZ, _FIONCLEX, _FIOCLEX = 0x5401, 0x5413, 0x5450, 0x5451
_FIONBIO = 0x5421  # sets O_NONBLOCK, or not
_TIOCGPGRP, _TIOCSPGRP, _TIOCGSID = 0x540F, 0x5410, 0x5429
_TIOCSCTTY, _TIOCNOTTY = 0x540E, 0x5422
_TCSETS, _TCSETSF, _LOCAL_MODES, _TOSTOP = 0x5402, 0x5404, 12, 0x100
_SETTING = range(_TCSETS, _TCSETSF + 1)
# Of these, those who are not in the foreground are refused some, or stopped: ioctl_tty(2).
_OF_JOBS = frozenset({_TIOCGPGRP, _TIOCSPGRP, _TIOCGSID, _TIOCSCTTY, _TIOCNOTTY, *_SETTING})
# To set a terminal's modes may mean to wait for its output.
_BRIEF = (_OF_JOBS - {*_SETTING}) | {_TCGETS, _TIOCGWINSZ, _FIONCLEX, _FIOCLEX, _FIONBIO}
IPC_RMID, IPC_64, _GETNCNT, _GETZCNT = 0, 0x100, 14, 15
MSG_DONTWAIT = socket.MSG_DONTWAIT
# Of send(2) and recv(2): whatever is not urgent, and does not wait for more than there is.
_KNOWN_FLAGS = (
    socket.MSG_PEEK | socket.MSG_TRUNC | MSG_DONTWAIT | socket.MSG_EOR
    | socket.MSG_NOSIGNAL | socket.MSG_MORE | socket.MSG_CMSG_CLOEXEC
)  # fmt: skip
_KNOWN_OPTIONS = frozenset({socket.SO_PASSCRED, socket.SO_SNDBUF, socket.SO_RCVBUF})
_OPENS, _EXECS = calls_in("open"), calls_in("exec")


def touches(run: Run, tracee: Tracee, call: Call) -> Touches:
    """Raises NotModelledError."""
    special = _SPECIAL.get(call.name)
    if special is not None:
        return special(run, tracee, call)
    known = CALLS.get(call.name)
    if known is None or not known.subjects:
        raise NotModelledError
    # Who executes a program only asks for it.
    tells = Concern.TELLS in known.concerns and call.name not in _EXECS
    return [
        touch
        for subject in known.subjects
        for touch in of_subject(run, tracee, call, subject, tells=tells)
    ]


def lasts(call: Call) -> bool:
    """Whether who makes it may have something by it for longer, that others notice when they come."""
    if call.name != "fcntl":
        return call.name in _LAST
    command = int32(call.arguments[1])
    if command == F_SETFL:
        return bool(call.arguments[2] & _UNFOLLOWED)
    return command not in (*_OF_DESCRIPTORS, _F_GETFL, F_GETLK)


def _open(run: Run, tracee: Tracee, call: Call) -> Touches:
    folder, path, flags = _opened(call)
    if paths.text(tracee, path) == "/proc/self/stat" and counts_its_threads(tracee, flags):
        return []
    tells = bool(flags & (os.O_CREAT | os.O_TRUNC))
    # If others change what has this name, it may be any of them by then.
    fifos = {name for name in run.resources.shared if name.startswith("fifo ")}
    opening = fifo_opened(run, tracee, call)
    fifos.update(end.channel for end in (opening.ends if opening else ()))
    return [
        *of_path(run, tracee, folder, path, tells=tells),
        *(Touch(name, tells=True) for name in sorted(fifos)),
    ]


def fifo_opened(run: Run, tracee: Tracee, call: Call) -> Opening | None:
    """Of open(2) with the name of a FIFO, as it is right now. None for anything else."""
    path, flags = _path_opened(tracee, call), flags_of_open(call)
    if path is None or flags & os.O_PATH or not is_fifo(path):
        return None
    return Opening(identity(path), run.channels.fifo(os.path.realpath(path), flags))


def returns_at_once(tracee: Tracee, call: Call) -> bool:
    """Whether it is an open(2) or ioctl(2) that never waits: of a file or folder, or about a terminal's jobs."""
    if call.name == "ioctl":
        return call.arguments[1] & 0xFFFFFFFF in _BRIEF
    path = _path_opened(tracee, call) if call.name in _OPENS else None
    if path is None:
        return False
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def opens_own_terminal(run: Run, tracee: Tracee, call: Call) -> bool:
    """Whether it opens /dev/tty, see tty(4), which no program has here but in a play."""
    name = paths.text(tracee, _opened(call)[1])
    return name == "/dev/tty" and run.surroundings.terminal is None


def _path_opened(tracee: Tracee, call: Call) -> str | None:
    """As it is found from here; None of what is in /proc, and if there is no name."""
    folder, address, _ = _opened(call)
    name = paths.text(tracee, address)
    if not name or paths.is_below(name, "/proc"):
        return None
    return paths.found_from_here(tracee, folder, name)


def _opened(call: Call) -> tuple[int, int, int]:
    """Of open(2) and openat(2): from which folder on, the address of the name, and the flags."""
    if call.name == "openat":
        return int32(call.arguments[0]), call.arguments[1], flags_of_open(call)
    return paths.AT_FDCWD, call.arguments[0], flags_of_open(call)


def flags_of_open(call: Call) -> int:
    return _WRITABLE if call.name == "creat" else call.arguments[2 if call.name == "openat" else 1]


def _connect(run: Run, tracee: Tracee, call: Call) -> Touches:
    """connect(2): a name that nobody has is asked for, as by access(2)."""
    name = sockets.name_called(tracee, call)
    if name is None or not sockets.calls_nobody(tracee, call):
        raise NotModelledError
    return list(of_path(run, tracee, paths.AT_FDCWD, name, tells=False))


def _control(run: Run, tracee: Tracee, call: Call) -> Touches:
    """fcntl(2); the flags of a pipe are told by `forklab.lens.loop.holding`."""
    number, command = int32(call.arguments[0]), int32(call.arguments[1])
    if command in _OF_DESCRIPTORS:
        return []
    if command in (_F_GETFL, F_SETFL):
        tells = command == F_SETFL
        if tells and call.arguments[2] & _UNFOLLOWED:
            raise NotModelledError
        if run.surroundings.is_output(tracee.member.pid, number):
            return [Touch("flags of the output", tells)]
        if (descriptors.link(tracee.member.pid, number) or "").startswith("pipe:"):
            return []
        return list(of_descriptor(run, tracee, call, number, tells=tells))
    if command in (F_GETLK, F_SETLK, F_SETLKW):
        return _lock(run, tracee, call)
    raise NotModelledError


def is_about_flags(call: Call) -> bool:
    """Whether it asks for the flags of an open file, or sets them: a pipe's say who has to wait there."""
    if call.name == "ioctl":
        return call.arguments[1] & 0xFFFFFFFF == _FIONBIO
    return call.name == "fcntl" and int32(call.arguments[1]) in (_F_GETFL, F_SETFL)


def _lock(run: Run, tracee: Tracee, call: Call) -> Touches:
    """flock(2), and the locks of fcntl(2)."""
    return list(_locks_at(run, tracee, call, int32(call.arguments[0])))


def closes(run: Run, tracee: Tracee, call: Call) -> Touches:
    """close(2), dup2(2) ...: whoever has locked the file, and closes any descriptor of it, has given up its lock."""
    known = [Touch(name, tells=True) for name in run.resources.touched if name.startswith("lock ")]
    if call.name == "close_range":
        return known
    number = int32(call.arguments[0 if call.name == "close" else 1])
    end = run.channels.at(tracee.member.pid, number)
    if end is not None:
        return [Touch(end.channel, tells=False)] if end.side else []
    if not known:
        return []
    try:
        return [touch for touch in _locks_at(run, tracee, call, number) if touch in known]
    except NotModelledError:
        return []


def _locks_at(run: Run, tracee: Tracee, call: Call, number: int) -> Iterator[Touch]:
    for touch in of_descriptor(run, tracee, call, number, tells=True):
        yield Touch("lock " + touch.resource.partition(" ")[2], tells=True)


def _device(run: Run, tracee: Tracee, call: Call) -> Touches:
    """ioctl(2): who is in the foreground of a terminal is a resource; to any other file, such words are an error."""
    request = call.arguments[1] & 0xFFFFFFFF
    if request in (_TCGETS, _TIOCGWINSZ, _FIONCLEX, _FIOCLEX):
        return []
    if request == _FIONBIO and run.pipes.find(tracee.member, int32(call.arguments[0])):
        return []  # told by `forklab.lens.loop.holding`, as those of fcntl(2)
    file = identity(f"/proc/{tracee.member.pid}/fd/{int32(call.arguments[0])}")
    if request == _FIONBIO and file and run.surroundings.is_own_socket(file):
        end = run.channels.at(tracee.member.pid, int32(call.arguments[0]))
        return [Touch(end.channel, tells=True)] if end else []
    if request not in _OF_JOBS or (
        file and is_terminal(file) and file != run.surroundings.terminal
    ):
        raise NotModelledError
    if not is_about_jobs(run, tracee, call):
        return []  # ENOTTY
    return [Touch(TERMINAL, tells=request not in (_TIOCGPGRP, _TIOCGSID))]


def stops_who_writes(run: Run, tracee: Tracee, call: Call) -> bool:
    """Whether this ioctl(2) lets nobody write to its terminal who is not in the foreground there: termios(3)."""
    file = identity(f"/proc/{tracee.member.pid}/fd/{int32(call.arguments[0])}")
    if call.arguments[1] & 0xFFFFFFFF not in _SETTING or not file or not is_terminal(file):
        return False
    address = call.arguments[2] + _LOCAL_MODES
    try:
        (modes,) = struct.unpack("<I", ptrace.read_memory(tracee.tid, address, 4))
    except (OSError, struct.error):
        return False  # EFAULT
    return bool(modes & _TOSTOP)


def is_about_jobs(run: Run, tracee: Tracee, call: Call) -> bool:
    """Whether this ioctl(2) asks our terminal for its session or its foreground, or changes them."""
    file = identity(f"/proc/{tracee.member.pid}/fd/{int32(call.arguments[0])}")
    is_ours = file is not None and file == run.surroundings.terminal
    return is_ours and call.arguments[1] & 0xFFFFFFFF in _OF_JOBS


def _message(run: Run, tracee: Tracee, call: Call) -> Touches:
    """send(2), recv(2) and their like, at a socketpair: what is sent with an address or a descriptor goes elsewhere."""
    number, whole = int32(call.arguments[0]), call.name in ("sendto", "recvfrom")
    end = run.channels.at(tracee.member.pid, number)
    flags = call.arguments[3 if whole else 2]
    if end is not None and end.channel not in run.channels.streams:
        flags &= ~socket.MSG_WAITALL
    if flags & ~_KNOWN_FLAGS:
        raise NotModelledError
    try:
        name = posting.sends_to(tracee, call)
        brought = posting.brought(run, tracee, call) if call.name == "sendmsg" else ()
    except OSError:
        return []  # EFAULT
    if name is None:
        found = list(of_descriptor(run, tracee, call, number, tells=True))
    elif end is not None and end.channel in run.channels.streams:
        raise NotModelledError
    else:
        path, box = posting.mailbox(run, tracee, name)
        found = list(of_path(run, tracee, paths.AT_FDCWD, path, tells=False))
        # If others change what has this name, it may be any of them by then.
        boxes = {shared for shared in run.resources.shared if shared.startswith("mailbox ")}
        found += [Touch(each, tells=True) for each in sorted({*boxes, box} - {""})]
    if brought and not all(run.channels.keeps_apart(touch.resource) for touch in found):
        raise NotModelledError
    return found + [Touch(end.channel, tells=False) for end in brought]


def _bind(run: Run, tracee: Tracee, call: Call) -> Touches:
    """bind(2), of a socket of unix(7): it makes a file."""
    name = sockets.name_called(tracee, call)
    if name is None:
        raise NotModelledError
    return list(of_path(run, tracee, paths.AT_FDCWD, name, tells=True))


def _listen(run: Run, tracee: Tracee, call: Call) -> Touches:
    """listen(2): whoever calls there is noticed when it does."""
    return list(of_descriptor(run, tracee, call, int32(call.arguments[0]), tells=True))


def _set_option(run: Run, tracee: Tracee, call: Call) -> Touches:
    """setsockopt(2)"""
    level, option = int32(call.arguments[1]), int32(call.arguments[2])
    if level != socket.SOL_SOCKET or option not in _KNOWN_OPTIONS:
        raise NotModelledError
    return list(of_descriptor(run, tracee, call, int32(call.arguments[0]), tells=True))


def _map(run: Run, tracee: Tracee, call: Call) -> Touches:
    """mmap(2): from then on nobody sees who reads what."""
    if call.arguments[3] & _MAP_ANONYMOUS:
        return []
    found = list(of_descriptor(run, tracee, call, int32(call.arguments[4]), tells=False))
    run.resources.mapped.update(touch.resource for touch in found)
    return found


def _priority(run: Run, tracee: Tracee, call: Call) -> Touches:
    if int32(call.arguments[0]) != _PRIO_PROCESS:
        raise NotModelledError
    tells = call.name == "setpriority"
    return list(of_process(run, tracee, int32(call.arguments[1]), tells))


def _limits(run: Run, tracee: Tracee, call: Call) -> Touches:
    return list(of_process(run, tracee, int32(call.arguments[0]), tells=bool(call.arguments[2])))


def _semaphores(run: Run, tracee: Tracee, call: Call) -> Touches:
    """semtimedop(2)"""
    if call.arguments[3]:  # until a moment
        raise NotModelledError
    return [Touch(str(Sort.SEMAPHORES), tells=True)]


def _open_queue(run: Run, tracee: Tracee, call: Call) -> Touches:
    """mq_open(2)"""
    return [Touch(str(Sort.QUEUES), tells=bool(call.arguments[1] & os.O_CREAT))]


def _queue(run: Run, tracee: Tracee, call: Call) -> Touches:
    """mq_timedsend(2), mq_timedreceive(2), mq_getsetattr(2)"""
    timed = call.name != "mq_getsetattr"
    if timed and call.arguments[4]:  # until a moment
        raise NotModelledError
    tells = timed or bool(call.arguments[1])
    return list(of_descriptor(run, tracee, call, int32(call.arguments[0]), tells=tells))


def _system_v(run: Run, tracee: Tracee, call: Call) -> Touches:
    """semctl(2), msgctl(2)"""
    semaphores = call.name == "semctl"
    command = int32(call.arguments[2 if semaphores else 1]) & ~IPC_64
    if semaphores and command in (_GETNCNT, _GETZCNT):
        raise NotModelledError  # how many sleep: here they are held before that
    return [Touch(str(Sort.SEMAPHORES if semaphores else Sort.MESSAGES), tells=True)]


def _of_itself(run: Run, tracee: Tracee, call: Call) -> Touches:
    """prctl(2). As long as it has never forked, nobody can be left to it."""
    option = int32(call.arguments[0])
    if option == PR_SET_CHILD_SUBREAPER and not tracee.member.forks:
        return []
    if option not in _PRIVATE_PRCTLS:
        raise NotModelledError
    return []


_SPECIAL: Mapping[str, Callable[[Run, Tracee, Call], Touches]] = {
    **dict.fromkeys(_OPENS, _open),
    "fcntl": _control,
    "connect": _connect,
    "bind": _bind,
    "listen": _listen,
    "setsockopt": _set_option,
    "flock": _lock,
    "ioctl": _device,
    "mmap": _map,
    "getpriority": _priority,
    "setpriority": _priority,
    "prlimit64": _limits,
    "prctl": _of_itself,
    "semtimedop": _semaphores,
    **dict.fromkeys(("sendto", "sendmsg", "recvfrom", "recvmsg"), _message),
    "mq_open": _open_queue,
    **dict.fromkeys(("mq_timedsend", "mq_timedreceive", "mq_getsetattr"), _queue),
    "semctl": _system_v,
    "msgctl": _system_v,
}
