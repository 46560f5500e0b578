"""In which order the kernel closes what a process has open when it ends, where somebody can tell one from the other.

First, by ascending descriptors, the locks of fcntl(2) are given up (close_files() in Linux' fs/file.c). What nobody
else has open is closed later, the last one first: fput() in fs/file_table.c leaves that to a list which is read from
its end, since Linux 4.3. Who polls two pipes of a child that ends may so be told of one, or of both.

Who can tell: who looks at something of which it does not wait for the end: by poll and its like, with O_NONBLOCK, by
trying to lock; or, having read the end of something, by writing elsewhere, which fails if nobody reads any more.
"""

from __future__ import annotations

import fcntl
import itertools
import os

from forklab.kernel.calls import int32
from forklab.lens.calls.touching import F_GETLK, F_SETLK, MSG_DONTWAIT
from forklab.lens.edge import descriptors, proc
from forklab.lens.world.chronicle import Member
from forklab.lens.world.resources import SOMEBODY
from forklab.lens.world.run import Run
from forklab.lens.world.surroundings import identity
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import POLLS, RECEIVES, SENDS, Touch

_SHARED_KINDS = ("pipe:", "socket:", "anon_inode:[eventfd]")
_ORDER = "order of closings"
_LAST = 0xFFFFFFFF
_DONT_WAIT = {"sendto": 3, "recvfrom": 3, "sendmsg": 2, "recvmsg": 2}  # where the flags are


def all_at_once() -> Call:
    return Call("close_range", (0, _LAST, 0, 0, 0, 0))


def notice_who_can_tell(run: Run, tracee: Tracee, call: Call) -> None:
    """At the entry of its call."""
    is_alone = tracee.member is run.chronicle.first and not tracee.member.forks
    if not is_alone and _looks(run, tracee, call):
        run.resources.note(SOMEBODY, [Touch(_ORDER, tells=True)])


def in_order(run: Run, member: Member, *, locks: bool) -> list[Call] | None:
    """The calls that close it piece by piece. None: nobody can tell, or there is one piece.

    `locks`: it may have locked files.
    """
    pieces: list[tuple[str, int]] = []
    for number in reversed(descriptors.all_of(member.pid)):
        name = _shared_with_others(run, member, number, locks=locks)
        if name is not None:
            pieces.append((name, number))
    # What is open on the same thing, one after the other, is one piece: who has one end of it sees the other end only.
    lowest = [
        min(number for _, number in piece) for _, piece in itertools.groupby(pieces, lambda p: p[0])
    ]
    if len(lowest) < 2:
        return None
    run.resources.note(member.name, [Touch(_ORDER, tells=False)])
    if _ORDER not in run.resources.shared:
        return None
    given_up = _with_locks_of_its_own(member) if locks else []
    return [
        *(Call("close", (number, 0, 0, 0, 0, 0)) for number in given_up),
        *(Call("close_range", (number, _LAST, 0, 0, 0, 0)) for number in lowest),
    ]


def is_shared(run: Run, member: Member, number: int) -> bool:
    """Whether others may see that it is closed, whoever they are: that must not depend on others."""
    return _shared_with_others(run, member, number, locks=False) is not None


def _shared_with_others(run: Run, member: Member, number: int, *, locks: bool) -> str | None:
    path = f"/proc/{member.pid}/fd/{number}"
    link = descriptors.link(member.pid, number) or ""
    if link.startswith(_SHARED_KINDS):
        if identity(path) not in run.surroundings.outputs:
            return link
    elif run.channels.at(member.pid, number) is not None or (locks and os.path.isfile(path)):
        return link
    return None


def _with_locks_of_its_own(member: Member) -> list[int]:
    """Its descriptors of files that it has locked by fcntl(2)."""
    locked = proc.files_with_locks_of(member.pid)
    found = []
    for number in descriptors.all_of(member.pid) if locked else ():
        file = identity(f"/proc/{member.pid}/fd/{number}")
        if file is not None and file[1] in locked:
            found.append(number)
    return found


def _looks(run: Run, tracee: Tracee, call: Call) -> bool:
    name, arguments = call.name, call.arguments
    if name in POLLS:
        return True
    number = int32(arguments[0])
    if name == "flock":
        return bool(arguments[1] & fcntl.LOCK_NB)
    if name == "fcntl":
        return int32(arguments[1]) in (F_SETLK, F_GETLK)
    if name not in RECEIVES | SENDS:
        return False
    if name in SENDS and tracee.member.name in run.resources.heard_ends:
        return len(_channels_of(run, tracee.member)) > 1
    if name in _DONT_WAIT and arguments[_DONT_WAIT[name]] & MSG_DONTWAIT:
        return True
    return bool(descriptors.flags(tracee.tid, number) & os.O_NONBLOCK)


def _channels_of(run: Run, member: Member) -> set[str]:
    pipes = {name for name, _ in run.pipes.ends.get(member, ())}
    return pipes | {end.channel for end in run.channels.ends_of(member)}
