"""Changes of a process's own signal mask, rt_sigprocmask(2): which of them make a difference to what others do.

Every fork of glibc from 2.41 on, and of musl, blocks all signals and unblocks them again, so most changes must not be
steps. Say that a mask changes right after another call of the process, and that a signal comes in between:

    blocked neither before nor after   it is taken right after that call, or before the next one: both are tried
    blocked, and then no longer        it waits for the change, and is taken then: as if it had come a moment later
    not blocked, and then blocked      it is taken before the change; a moment later it would have to wait

So a change that only unblocks, while nothing waits that it would let in, comes to the same whenever it is made. One
that blocks does too, as long as nobody sends the process a signal that it would notice. If it asks what is pending, or
sets a handler, that may be any signal: what is blocked waits, even if it is ignored, see signal(7).
"""

from __future__ import annotations

from collections.abc import Iterable

from forklab.kernel.calls import int32
from forklab.kernel.signals import KILL, STOP, bit, numbers_in
from forklab.lens.calls.actions import action_of
from forklab.lens.edge import proc, ptrace
from forklab.lens.world.chronicle import Member
from forklab.lens.world.resources import SOMEBODY
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import Touch

_SIG_BLOCK, _SIG_UNBLOCK, _SIG_SETMASK = 0, 1, 2
_SIG_DFL, _SIG_IGN = 0, 1
_SIZE = 8  # bytes, of a signal set
_NEVER_BLOCKED = bit(KILL) | bit(STOP)
_ASK_WHAT_IS_PENDING = frozenset({"rt_sigpending", "rt_sigtimedwait", "signalfd", "signalfd4"})


def makes_a_difference(run: Run, tracee: Tracee, call: Call) -> bool:
    """Whether this change of its mask has to be a step: others may be before it, or after it."""
    masks = proc.masks(tracee.member.pid, tracee.tid)
    wanted = _wanted(tracee, call, masks.blocked) if masks else None
    if masks is None or wanted is None:
        return False
    if wanted & ~masks.blocked:
        name = tracee.member.name
        run.resources.note(name, [Touch(_signals_of(name), tells=False)])
        if _signals_of(name) in run.resources.shared:
            return True
    let_in = masks.pending & masks.blocked & ~wanted
    return not all(map(masks.harmless, numbers_in(let_in)))


def are_sent_to(run: Run, name: str, noticed: int) -> None:
    """Others have sent signals to this process, as a mask, and it would notice them."""
    if noticed & ~_NEVER_BLOCKED:
        run.resources.note(SOMEBODY, [Touch(_signals_of(name), tells=True)])


def notice_who_looks(run: Run, tracee: Tracee, call: Call, touches: Iterable[Touch] = ()) -> None:
    """It asks for signals that wait for it, or may be about to catch one that it has ignored so far."""
    reads_signals = any(touch.resource.startswith("pending ") for touch in touches)
    if (
        call.name in _ASK_WHAT_IS_PENDING
        or reads_signals
        or (
            call.name == "rt_sigaction"
            and (action := action_of(tracee, call)) is not None
            and action.handler not in (_SIG_DFL, _SIG_IGN)
        )
    ):
        run.resources.note(SOMEBODY, [Touch(_signals_of(tracee.member.name), tells=True)])


def notices(tracee: Tracee, call: Call, number: int) -> bool:
    """Whether by this call it may notice later that this signal has come."""
    arguments = call.arguments
    if call.name == "rt_sigaction":
        action = action_of(tracee, call) if int32(arguments[0]) == number else None
        return action is not None and action.handler not in (_SIG_DFL, _SIG_IGN)
    if call.name not in _ASK_WHAT_IS_PENDING:
        return False
    if call.name == "rt_sigpending":  # what is not blocked never waits, as it is seen there
        masks = proc.masks(tracee.member.pid, tracee.tid)
        return masks is not None and bool(masks.blocked & bit(number))
    wanted = _read(tracee, arguments[1 if call.name.startswith("signalfd") else 0])
    return bool((wanted or 0) & bit(number))


def will_be_told(run: Run, tracee: Tracee, wanted: int) -> None:
    """From now on it can learn what these signals say, as a mask.

    If one waits already, what it says has to be known since it came, so the explorer begins anew with that.
    """
    member = tracee.member
    masks = proc.masks(member.pid, tracee.tid)
    if masks is not None and masks.pending & wanted:
        run.resources.note(SOMEBODY, [Touch(_told_to(member.name), tells=True)])
        run.resources.note(member.name, [Touch(_told_to(member.name), tells=False)])
    run.dispositions.will_tell_senders(member, wanted)


def is_told(run: Run, member: Member, number: int) -> bool:
    """Whether it can learn what this signal says, now or later."""
    is_shared = _told_to(member.name) in run.resources.shared
    return is_shared or run.dispositions.tells_senders(member, number)


def _told_to(name: str) -> str:
    return f"what signals say to {name}"


def _signals_of(name: str) -> str:
    """The resource that a process has in common with those who send it signals."""
    return f"signals of {name}"


def _wanted(tracee: Tracee, call: Call, blocked: int) -> int | None:
    """The mask that it wants; None if it only asks, or that is an error."""
    how, address, _, size = call.arguments[:4]
    given = _read(tracee, address) if size == _SIZE else None
    if given is None:
        return None
    given &= ~_NEVER_BLOCKED
    masks = {_SIG_BLOCK: blocked | given, _SIG_UNBLOCK: blocked & ~given, _SIG_SETMASK: given}
    return masks.get(int32(how))


def _read(tracee: Tracee, address: int) -> int | None:
    """A mask, or the address of a handler; None if there is none."""
    if not address:
        return None
    try:
        return ptrace.read_word(tracee.tid, address)
    except OSError:
        return None
