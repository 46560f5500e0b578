"""Calls that may have to wait, tried without waiting: the kernel alone knows whether semop(2) or flock(2) would.

Nobody may sleep in the kernel for what others do, or it would be the kernel who chooses which of the sleepers comes
next. So the call is made with the flag that says not to wait. Where it has none, its open file has one: O_NONBLOCK is
set for so long, and nobody else runs meanwhile. If it would have had to wait, it counts as not made, and is worth
another try only when somebody has changed what it has to do with.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterable

from forklab.kernel.calls import calls_in, int32, spoken_name
from forklab.kernel.waits import P_PGID, WaitFor
from forklab.lens.calls import polling, writing
from forklab.lens.calls.touching import F_SETLK, F_SETLKW, IPC_64, IPC_RMID, MSG_DONTWAIT
from forklab.lens.edge import descriptors, proc, ptrace
from forklab.lens.edge.borrowing import borrow
from forklab.lens.loop.ledger import Ledger, Standing
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.resources import FIFOS, is_channel
from forklab.steps.state import RECEIVES, SENDS, Patience, Touch

_IPC_NOWAIT = 0o4000
_LOCK_NB = 4
_SEM_UNDO = 0x1000
_SEMOPS = frozenset({"semop", "semtimedop"})
# The place of the command, and the calls that may sleep for what is removed.
_REMOVING = {"semctl": (2, _SEMOPS), "msgctl": (1, frozenset({"msgsnd", "msgrcv"}))}
_SEMBUF = struct.Struct("<Hhh")  # number, operation, flags
_MOST_OPERATIONS = 500  # of a semop, see semop(2)
# The place of the argument with the flags, the flag that says not to wait, and the error if it would have had to.
_FLAGS = {
    "msgsnd": (3, _IPC_NOWAIT, errno.EAGAIN),
    "msgrcv": (4, _IPC_NOWAIT, errno.ENOMSG),
    "flock": (1, _LOCK_NB, errno.EWOULDBLOCK),
}
_BY_OPEN_FILE = RECEIVES | SENDS
_OPENS = calls_in("open")
# The places of the flags of those that can also be told by a flag, MSG_DONTWAIT.
_MESSAGE_FLAGS = {"sendto": 3, "recvfrom": 3, "sendmsg": 2, "recvmsg": 2}
_PIECE = 32768  # bytes that a stream takes at once, at least: unix_stream_sendmsg() of the kernel


def may_wait(call: Call, touches: Iterable[Touch]) -> bool:
    """Whether it is one of these calls."""
    if _waits_at_a_channel(call, touches):
        return True
    if call.name in _OPENS:
        return any(is_channel(touch.resource) for touch in touches)
    if call.name == "fcntl":
        return int32(call.arguments[1]) == F_SETLKW
    return call.name in _FLAGS or call.name in _SEMOPS


def begin(run: Run, ledger: Ledger, tracee: Tracee, call: Call) -> bool:
    """At the entry of a call: it shall not wait. False: it does not, or a signal is about to end its waiting."""
    standing = ledger.of(tracee)
    has_waited, standing.blocked = standing.blocked is not None, None
    masks = proc.masks(tracee.member.pid, tracee.tid)
    if masks is None or masks.deliverable:
        return False
    if _waits_at_a_channel(call, standing.touches):
        return _lend(run, standing, tracee, call, has_waited=has_waited)
    if call.name in _FLAGS:
        place, flag, _ = _FLAGS[call.name]
        return not call.arguments[place] & flag and _patch(
            tracee, call, place, call.arguments[place] | flag
        )
    if _waits_for_a_lock(call):
        return _patch(tracee, call, 1, F_SETLK)
    return call.name in _SEMOPS and _patch_operations(tracee, call, wait=False)


def waits_for_descriptors(run: Run, ledger: Ledger, tracee: Tracee, call: Call) -> bool:
    """At the entry of poll(2) and its like: it would have to wait, so it is not made. Else it will not wait."""
    standing = ledger.of(tracee)
    patience = standing.detail
    assert isinstance(patience, Patience)
    masks = proc.masks(tracee.member.pid, tracee.tid)
    if masks is not None and patience.mask is not None:
        masks = masks._replace(blocked=patience.mask)
    is_over = patience.deadline is not None and patience.deadline <= run.clock.now
    standing.blocked = None
    tracee.deadline = None if is_over else patience.deadline
    if masks is None or masks.deliverable or not polling.would_wait(tracee, call):
        if polling.tells_of_several(tracee, call):
            run.because(f"epoll tells {tracee.member.name} of several descriptors, in some order")
        return False
    if is_over:
        polling.is_over(tracee, call)
        return False
    standing.blocked = standing.values
    return True


def has_failed(tracee: Tracee, call: Call, result: int) -> bool:
    """At its exit: it would have had to wait."""
    if call.name in _BY_OPEN_FILE:
        return result == -errno.EAGAIN
    if call.name in _SEMOPS:
        _patch_operations(tracee, call, wait=True)
        return result == -errno.EAGAIN
    if call.name == "fcntl":
        return result in (-errno.EAGAIN, -errno.EACCES)
    return result == -_FLAGS[call.name][2]


def notice_pieces(run: Run, standing: Standing, tracee: Tracee, call: Call, result: int) -> None:
    """At its exit: what is much is taken piece by piece, and others may come between."""
    if call.name not in SENDS:
        return
    touched = {touch.resource for touch in standing.touches}
    if touched & run.channels.streams and result >= _PIECE:
        run.because(f"{tracee.member.name} writes much into a socket at once, piece by piece")
    if FIFOS in touched and standing.is_attempt and 0 <= result < writing.size_of(tracee, call):
        run.because(f"{tracee.member.name} writes more into a FIFO than fits, piece by piece")


def notice_leaving(run: Run, ledger: Ledger, tracee: Tracee) -> None:
    """At the entry of setpgid(2) or setsid(2): it wakes nobody who sleeps in a wait for the group that it leaves."""
    for other, standing in ledger.all():
        wanted = standing.detail
        if other is tracee or other.stand is not Stand.HELD or not isinstance(wanted, WaitFor):
            continue
        if wanted.kind == P_PGID and not wanted.options & os.WNOHANG:
            run.because(
                f"{tracee.member.name} may leave a group that {other.member.name} waits for by then"
            )


def drop_the_dead(ledger: Ledger) -> None:
    """Who was killed in such a call has left its open file as we have made it."""
    for tracee, standing in ledger.all():
        if standing.lent is not None and tracee.stand is Stand.GONE:
            give_back(standing)


def notice_conversion(run: Run, tracee: Tracee, result: int, *, is_attempt: bool) -> None:
    """At its exit: who has a lock of flock(2) and asks for another kind has given up the first, also if it waits."""
    if result == 0:
        run.resources.lockers.add(tracee.member.name)
    elif is_attempt and run.resources.may_have_locked(tracee.member):
        run.because(f"{tracee.member.name} waits with flock for another kind of lock than it has")


def notice_circle(run: Run, ledger: Ledger, tracee: Tracee) -> None:
    """It would wait with F_SETLKW. Of a circle of those who have locks and wait for each other's, the kernel wakes the
    one that has closed it: EDEADLK, fcntl(2). Here nobody really waits, so it does not see it.
    """
    waiting = [
        other.member
        for other, standing in ledger.all()
        if other is not tracee and standing.blocked is not None and _waits_for_a_lock(other.call)
    ]
    owners = proc.owners_of_locks() if waiting else set()
    if tracee.member.pid in owners and any(other.pid in owners for other in waiting):
        run.because(f"{tracee.member.name} waits for a lock, and somebody for its lock (EDEADLK)")


def _waits_for_a_lock(call: Call | None) -> bool:
    return call is not None and call.name == "fcntl" and int32(call.arguments[1]) == F_SETLKW


def notice_removal(run: Run, tracee: Tracee, call: Call) -> None:
    """At the entry of a call: who sleeps for what it removes is woken with an error; here all are held before that."""
    place, waiting = _REMOVING.get(call.name, (0, frozenset()))
    if not waiting or int32(call.arguments[place]) & ~IPC_64 != IPC_RMID:
        return
    for other in run.world.tracees.values():
        if other is not tracee and other.call is not None and other.call.name in waiting:
            run.because(
                f"{tracee.member.name} removes what {other.member.name} may wait for by then"
            )


def _waits_at_a_channel(call: Call, touches: Iterable[Touch]) -> bool:
    return call.name in _BY_OPEN_FILE and any(is_channel(touch.resource) for touch in touches)


def _lend(run: Run, standing: Standing, tracee: Tracee, call: Call, *, has_waited: bool) -> bool:
    """`has_waited`: who sleeps there already is not woken when somebody sets O_NONBLOCK."""
    place = _MESSAGE_FLAGS.get(call.name)
    if place is not None and call.arguments[place] & MSG_DONTWAIT:
        return False
    try:
        ours = borrow(tracee.member.pid, tracee.tid, int32(call.arguments[0]))
    except OSError:
        run.because(f"{tracee.member.name} can't be kept from sleeping in {spoken_name(call.name)}")
        tracee.may_sleep = True
        return False
    is_of_signals = any(touch.resource.startswith("pending ") for touch in standing.touches)
    waits = descriptors.lets_wait(ours)
    if not waits and not has_waited:
        os.close(ours)
        return False
    # A datagram socket that was shut down tells who does not wait EAGAIN, and who waits the end.
    has_news = call.name in RECEIVES and not is_of_signals and descriptors.has_news(ours)
    descriptors.let_wait(ours, wait=has_news)
    standing.lent = ours, waits
    return not has_news


def give_back(standing: Standing) -> None:
    """The open file lets wait again who waited there before."""
    if standing.lent is not None:
        ours, waits = standing.lent
        descriptors.let_wait(ours, wait=waits)
        os.close(ours)
        standing.lent = None


def _patch(tracee: Tracee, call: Call, place: int, value: int) -> bool:
    call.patched = (place, call.arguments[place])
    ptrace.set_argument(tracee.tid, place, value)
    return True


def undoes(tracee: Tracee, call: Call) -> bool:
    """Whether some of its operations are taken back when it ends: SEM_UNDO, see semop(2)."""
    address, count = call.arguments[1], call.arguments[2]
    if not 0 < count <= _MOST_OPERATIONS:
        return False
    try:
        content = ptrace.read_memory(tracee.tid, address, count * _SEMBUF.size)
        return any(flags & _SEM_UNDO for _, _, flags in _SEMBUF.iter_unpack(content))
    except (OSError, struct.error):
        return False  # EFAULT


def _patch_operations(tracee: Tracee, call: Call, *, wait: bool) -> bool:
    """semop(2) has a flag with each operation. False if some of them don't wait anyway."""
    address, count = call.arguments[1], call.arguments[2]
    if not 0 < count <= _MOST_OPERATIONS:
        return False
    try:
        content = ptrace.read_memory(tracee.tid, address, count * _SEMBUF.size)
        operations = list(_SEMBUF.iter_unpack(content))
        if not wait and any(flags & _IPC_NOWAIT for _, _, flags in operations):
            return False
        changed = (
            (number, operation, flags & ~_IPC_NOWAIT if wait else flags | _IPC_NOWAIT)
            for number, operation, flags in operations
        )
        ptrace.patch_memory(tracee.tid, address, b"".join(_SEMBUF.pack(*o) for o in changed))
    except (OSError, struct.error):
        return False
    return True
