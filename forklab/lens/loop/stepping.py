"""Takes a step that has been chosen: `forklab.steps.moves` has offered it."""

from __future__ import annotations

import contextlib
import errno
import os
import struct
from pathlib import Path

from forklab.kernel import waits
from forklab.kernel.calls import INTERRUPTED, calls_in, int32
from forklab.kernel.functions import SEM_FUNCTIONS
from forklab.kernel.signals import CHLD, CONT, KILL, STOP, bit
from forklab.lens.calls import (
    arranging,
    changing,
    dispatch,
    polling,
    posting,
    sending,
    sleeping,
    sockets,
    touching,
    waiting,
    writing,
)
from forklab.lens.calls.namespaces import CLONE_NEWTIME
from forklab.lens.edge import descriptors, proc, ptrace
from forklab.lens.edge.seccomp import CLONE_UNTRACED
from forklab.lens.loop import (
    attempts,
    ending,
    killing,
    piping,
    remembering,
    trapping,
    vforking,
    watching,
)
from forklab.lens.loop.delivery import what_it_says
from forklab.lens.loop.holding import CLONE_NEWPID, NESTED, OTHER_CLOCKS
from forklab.lens.loop.ledger import Ledger, Standing
from forklab.lens.loop.loop import Loop
from forklab.lens.loop.watching import CLOCKS
from forklab.lens.world.limits import EndOfRunError
from forklab.lens.world.onward import AT_ONCE, INTO_ITS_CALL, Onward, Turn
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.moves import CALL, RETURN, SIGNAL, Move
from forklab.steps.resources import channel_of, may_have_queues, values_of
from forklab.steps.state import LOOP, POLLS, READS, TO_OUTPUT, WRITES, State, Touch, number_of

_FORKS, _EXECS, _EXITS = calls_in("fork"), calls_in("exec"), calls_in("exit")
_WAITS, _SIGNALLING, _CLOSING = calls_in("wait"), calls_in("signal"), calls_in("close")
_SLEEPS, _PERSONAL, _OPENS = calls_in("sleep"), calls_in("self"), calls_in("open")
# Before these, the kernel has to drop what it would have dropped long ago if nobody traced the process: they change
# what becomes of it, or begin anew because of it. Others break off: getdents(2) after its first entry.
_MIND_WHAT_IS_PENDING = _FORKS | {"rt_sigaction", "rt_sigprocmask"}
_LEAVES_A_GROUP = frozenset({"setpgid", "setsid"})
_TELL_A_PROCESS = frozenset({"getppid", "getpgrp", "getpgid", "getsid"})
_CLONE_VM, _CLONE_FS, _CLONE_FILES, _CLONE_VFORK = 0x100, 0x200, 0x400, 0x4000
_ALL = (1 << 64) - 1  # signals
_CLONE_THREAD, _CSIGNAL = 0x10000, 0xFF
_CLONE_ARGS = struct.Struct(
    "<5Q"
)  # how struct clone_args begins: flags, three pointers, exit_signal
_SIGINFO_SIZE, _BEFORE_TIMES = 128, 56  # bytes of a struct signalfd_siginfo
_NS_LAST_PID = Path("/proc/sys/kernel/ns_last_pid")


def take(loop: Loop, ledger: Ledger, tracee: Tracee, move: Move, state: State) -> None:
    """In this state. Raises ProcessLookupError if the process has been killed meanwhile: its end is reported."""
    call, standing = tracee.call, ledger.of(tracee)
    standing.had_seen = tracee.seen
    standing.values = values_of(state, standing.touches)
    remembering.takes_a_step(tracee)
    tracee.saw(str(move.kind), call.name if call else "")
    piping.notice_who_is_disturbed(loop.run, ledger, tracee)
    if tracee.member in ledger.doomed and move.kind != CALL:
        killing.kill(loop.run, ledger, tracee)
    elif move.kind == RETURN:
        loop.goes_on(tracee, Onward(Turn.AT_ONCE, tracee.to_exit, tracee.signal))
    elif move.kind == SIGNAL:
        if call is not None and call.name in SEM_FUNCTIONS:
            trapping.stand_before(tracee)
        elif call is not None and call.name != LOOP:
            if call.name in CLOCKS:
                tracee.deadline = None
            ptrace.rewind_call(tracee.tid)
        loop.goes_on(tracee, AT_ONCE)
    else:
        assert call is not None
        make_call(loop, ledger, tracee, call)


def make_call(
    loop: Loop, ledger: Ledger, tracee: Tracee, call: Call, *, again: bool = False
) -> None:
    """The call before which it is held. It may have to wait in it for nobody but a signal.

    `again`: it has come to it once more, so that what is pending could be dropped before.
    """
    standing = ledger.of(tracee)
    tracee.may_sleep = False
    if call.name in SEM_FUNCTIONS:
        trapping.make(loop, ledger, tracee, call)
        return
    minds = call.name in _MIND_WHAT_IS_PENDING or bool(standing.touches)
    if (
        minds
        and not again
        and (_is_to_drop(standing, tracee, call) or _was_continued(tracee, call))
    ):
        standing.makes_it_next = True
        ptrace.rewind_call(tracee.tid)
        loop.goes_on(tracee, AT_ONCE)
        return
    run = loop.run
    if tracee.dies_by and call.name in _EXITS:
        killing.dies(run, tracee)
        return
    if ending.is_at_a_moment(standing, call):
        if tracee.member not in ledger.ending:
            ending.become_deaf(ledger, tracee)
        if tracee.is_waited_for:
            vforking.release(loop, tracee)
    remembering.note(ledger, tracee, call)
    if call.name in CLOCKS:
        loop.goes_on(tracee, watching.make(loop, ledger, tracee, call))
        return
    if call.name in POLLS:
        if attempts.waits_for_descriptors(run, ledger, tracee, call):
            tracee.seen = standing.had_seen
            if (
                tracee.stand is not Stand.HELD
            ):  # it has come back to it, without what it has dropped
                run.world.let(tracee, Stand.HELD)
        else:
            onward = dispatch.make(run, tracee, call) if call.patched is None else INTO_ITS_CALL
            loop.goes_on(tracee, INTO_ITS_CALL if onward == AT_ONCE else onward)
        return
    if standing.touches:
        changing.remember(run, tracee, call)
        tracee.saw(run.resources.values(posting.told_by_all_of(run, call, standing.touches)))
        attempts.notice_removal(run, tracee, call)
        standing.is_attempt = attempts.begin(run, ledger, tracee, call)
        if call.name in _OPENS:
            _open(run, tracee, call)
        elif call.name == "connect" and not sockets.calls_nobody(tracee, call):
            run.because("it uses sockets")  # somebody has the name by now
    loop.goes_on(tracee, _make(run, ledger, tracee, call))


def _make(run: Run, ledger: Ledger, tracee: Tracee, call: Call) -> Onward:
    name, standing = call.name, ledger.of(tracee)
    if name in _SLEEPS:
        if tracee.deadline is not None and tracee.deadline <= run.clock.now:
            return sleeping.wake(tracee)
        sleeping.let_in(tracee)
        return INTO_ITS_CALL
    if name in _WAITS:
        _doubt_what_the_dying_tell(run, ledger, tracee, call)
        return waiting.reap(tracee, call) if waiting.can_return(tracee) else INTO_ITS_CALL
    if name in _SIGNALLING:
        return _send(run, ledger, tracee, call)
    if name in _FORKS:
        _refuse_what_is_not_led(run, tracee, call)
        _number_the_child(run, tracee)
        if vforking.is_one(tracee, call):
            vforking.begin(tracee, call)
            return INTO_ITS_CALL
        return dispatch.make(run, tracee, call) if name == "clone" else AT_ONCE
    if name in _EXITS or name in _EXECS:
        return AT_ONCE
    if ending.is_at_a_moment(standing, call):
        return INTO_ITS_CALL
    if name in WRITES and standing.detail[:1] == (TO_OUTPUT,):
        return dispatch.make(run, tracee, call)
    if name in READS or name in WRITES:
        if standing.detail:
            piping.begin(run, ledger, tracee, call)
        return INTO_ITS_CALL
    if name in _LEAVES_A_GROUP:
        attempts.notice_leaving(run, ledger, tracee)
    if name in _PERSONAL or name in _CLOSING or name == "rt_sigtimedwait" or standing.touches:
        if name == "rt_sigaction":
            arranging.set_handler(run, tracee, call)
        return INTO_ITS_CALL
    if touching.is_about_flags(call):
        piping.set_flags(run, ledger, tracee, call)
        return INTO_ITS_CALL
    return dispatch.make(run, tracee, call)


def _doubt_what_the_dying_tell(run: Run, ledger: Ledger, tracee: Tracee, call: Call) -> None:
    """Of its stop or its continuation nobody hears any more whom a signal has ended, though it is not gone yet."""
    options = waiting.wanted(tracee, call).options
    for child in tracee.member.children:
        told = child.news & options & (waits.WSTOPPED | waits.WCONTINUED)
        if told and (child in ledger.doomed | ledger.ending or sending.is_dying(child)):
            run.because(
                f"{tracee.member.name} may still hear that {child.name} was stopped or continued, though a signal"
                " has ended it already: it is shown with both"
            )


def _open(run: Run, tracee: Tracee, call: Call) -> None:
    """Who opens a FIFO waits for somebody at its other side, and lets who waits there go on: fifo(7)."""
    opening = touching.fifo_opened(run, tracee, call)
    if opening is not None:
        run.channels.opening[tracee.member] = opening
        tracee.may_sleep, call.returns = True, False  # it may have become one since it was held


def _waits_on_in_open(run: Run, tracee: Tracee) -> bool:
    """A signal that it ignores, which only who is traced notices, has got it out of there: it goes back at once."""
    masks = proc.masks(tracee.member.pid, tracee.tid)
    waits = tracee.member in run.channels.opening
    return waits and masks is not None and not masks.deliverable


def opens_again(loop: Loop, tracee: Tracee, call: Call) -> bool:
    """Whether it comes back to open(2), in which it waits for somebody at the other side of a FIFO."""
    opening = loop.run.channels.opening.get(tracee.member)
    if opening is None or not call.again:
        return False
    if touching.fifo_opened(loop.run, tracee, call) != opening:
        loop.run.because(
            f"{tracee.member.name} waits in open for a FIFO that has not its name any more"
        )
    loop.goes_on(tracee, INTO_ITS_CALL)
    return True


def came_back(run: Run, ledger: Ledger, tracee: Tracee, call: Call, result: int) -> None:
    """A call has returned: what has it told the process?"""
    standing = ledger.of(tracee)
    if call.name in SEM_FUNCTIONS:
        trapping.returned(run, tracee, ledger, call, result)
        return
    attempts.give_back(standing)
    if tracee.vfork is not None:  # there was no birth
        vforking.put_back(tracee, tracee.vfork)
        tracee.vfork = None
    if result in INTERRUPTED and _waits_on_in_open(run, tracee):
        return
    run.channels.opening.pop(tracee.member, None)
    attempts.notice_pieces(run, standing, tracee, call, result)
    if call.name == "flock":
        attempts.notice_conversion(run, tracee, result, is_attempt=standing.is_attempt)
    if standing.is_attempt:
        standing.is_attempt = False
        if attempts.has_failed(tracee, call, result):
            if call.name == "fcntl":
                attempts.notice_circle(run, ledger, tracee)
            tracee.seen, standing.tries_again = standing.had_seen, True
            standing.blocked = standing.values
            ptrace.call_again(tracee.tid, call.name, call.arguments[0])
            return
    touches = standing.touches
    if touches and (result >= 0 or _tells_by_failing(run, tracee, call, result, touches)):
        _tell(run, tracee, call, standing.touches, result)
    if result == 0:
        for target in standing.dooms:
            ledger.doom(target)
    if standing.pipe is not None and result > 0:
        if standing.content:
            standing.pipe.write(standing.content[:result])
        else:
            tracee.saw(standing.pipe.read(result))
    if call.name in _TELL_A_PROCESS:
        member = run.chronicle.latest_called(tracee.member, result) if result > 0 else None
        tracee.saw(member.name if member else min(result, 0))
    elif call.name not in _WAITS or result < 0:  # whom they have reaped is noted there
        tracee.saw(result)
    if call.name in READS and result == 0:
        run.resources.heard_ends.add(tracee.member.name)
    if call.name in READS and result > 0:
        _see_signals(tracee, call, result, standing.touches)
        _see_children(run, tracee, call, result, standing.touches)
    if call.name == "rt_sigpending" and result == 0:
        tracee.saw(ptrace.read_memory(tracee.tid, call.arguments[0], call.arguments[1]))
    if call.name == "rt_sigtimedwait" and result > 0:
        _see_what_it_says(run, tracee, call)
    if call.name in POLLS and result >= 0:
        tracee.saw(*polling.told(tracee, call, result))
    standing.pipe, standing.content, standing.dooms = None, b"", ()
    ending.has_closed(ledger, tracee, call)


def _see_signals(tracee: Tracee, call: Call, result: int, touches: tuple[Touch, ...]) -> None:
    """What it has read by signalfd(2), but for the time that its child has used."""
    if any(touch.resource.startswith("pending ") for touch in touches):
        content = ptrace.read_memory(tracee.tid, call.arguments[1], result)
        for place in range(0, result, _SIGINFO_SIZE):
            tracee.saw(content[place : place + _BEFORE_TIMES])


def _see_children(
    run: Run, tracee: Tracee, call: Call, result: int, touches: tuple[Touch, ...]
) -> None:
    """What it has read in /proc of who the children of somebody are."""
    if any(touch.resource.startswith("children ") for touch in touches):
        areas = writing.pieces(tracee, call)
        content = b"".join(ptrace.read_memory(tracee.tid, *area) for area in areas)[:result]
        tracee.saw(run.chronicle.in_our_numbers(content.decode(errors="replace")))


def _see_what_it_says(run: Run, tracee: Tracee, call: Call) -> None:
    """The signal that it has waited for by sigwaitinfo(2)."""
    with contextlib.suppress(OSError, struct.error):
        info = ptrace.info_in(ptrace.read_memory(tracee.tid, call.arguments[1], _SIGINFO_SIZE))
        tracee.saw(*what_it_says(run, tracee.member, info))


def _tells_by_failing(
    run: Run, tracee: Tracee, call: Call, result: int, touches: tuple[Touch, ...]
) -> bool:
    """Who has heard of an error at a socket has taken it away: ECONNRESET, once. Who fails to get another kind of lock
    has lost the one that it had: flock(2)."""
    if call.name == "flock":
        return run.resources.may_have_locked(tracee.member)
    return result != -errno.EAGAIN and any(may_have_queues(touch.resource) for touch in touches)


def _tell(run: Run, tracee: Tracee, call: Call, touches: tuple[Touch, ...], result: int) -> None:
    """What it has done to them. An eventfd is as good as new wherever it has the same count."""
    pid, number = tracee.member.pid, int32(call.arguments[0])
    if call.name == "shutdown":
        run.channels.shut.update(touch.resource for touch in touches)
    for touch in touches:
        if touch.tells and run.channels.keeps_apart(channel_of(touch.resource)):
            posting.told(run, tracee, call, touch, result)
        elif touch.tells and touch.resource.startswith("eventfd "):
            flags = descriptors.flags(pid, number) & os.O_NONBLOCK
            run.resources.is_now(touch.resource, descriptors.eventfd_count(pid, number), flags)
        else:
            run.resources.told([touch], tracee.member.name, tracee.history, call.name)


def _send(run: Run, ledger: Ledger, tracee: Tracee, call: Call) -> Onward:
    """SIGKILL is only on its way then: each of them dies in a step of its own."""
    number = int32(call.arguments[sending.signal_place(call.name)])
    if number == STOP and _is_sent_to_who_ends(run, ledger, tracee, call):
        if int32(call.arguments[0]) <= 0:
            raise EndOfRunError("SIGSTOP is sent to a group of which somebody is just ending.")
        sent = sending.announce(run, tracee, call)
        return AT_ONCE if sent is None else sending.only_ask(tracee, call, sent)
    if number != KILL:
        return sending.send(run, tracee, call, explored=True)
    sent = sending.announce(run, tracee, call)
    if sent is None:
        return AT_ONCE
    sending.doubt_who_ends_them(run, sent)
    if sent.shielded:
        return sending.shield(run, tracee, sent, ledger.doom)
    if sending.says_it_twice(call):
        return INTO_ITS_CALL
    ledger.of(tracee).dooms = tuple(sent.targets)
    return sending.only_ask(tracee, call, sent)


def _is_sent_to_who_ends(run: Run, ledger: Ledger, tracee: Tracee, call: Call) -> bool:
    """The kernel would not stop it any more. Of a group: maybe."""
    pid = int32(call.arguments[0])
    target = run.chronicle.latest_called(tracee.member, pid) if pid > 0 else None
    ending_ones = {member for member in ledger.ending if not member.dead}
    return bool(ending_ones) if pid <= 0 else target in ending_ones


def _is_to_drop(standing: Standing, tracee: Tracee, call: Call) -> bool:
    """Signals wait for it that would not wait if it were not traced. Others have to be blocked meanwhile."""
    masks = proc.masks(tracee.member.pid, tracee.tid)
    if masks is None:
        return False
    dropped = masks.pending & ~masks.blocked & ~masks.deliverable
    if dropped and masks.deliverable:
        if call.name not in _MIND_WHAT_IS_PENDING or masks.deliverable & bit(STOP):
            return False
        standing.mask = masks.blocked
        ptrace.set_signal_mask(tracee.tid, ~dropped & _ALL)
    return bool(dropped)


def comes_back(standing: Standing, tracee: Tracee) -> None:
    """To the call that it makes next, without what it has dropped."""
    standing.makes_it_next = False
    if standing.mask is not None:
        ptrace.set_signal_mask(tracee.tid, standing.mask)
        standing.mask = None


def _was_continued(tracee: Tracee, call: Call) -> bool:
    """SIGCONT waits for it. The kernel tells us of that first, even if it is blocked, and a fork begins anew then."""
    masks = proc.masks(tracee.member.pid, tracee.tid)
    return call.name in _FORKS and masks is not None and bool(masks.pending & bit(CONT))


def _refuse_what_is_not_led(run: Run, tracee: Tracee, call: Call) -> None:
    """Raises EndOfRunError for a thread and for a PID namespace of the program's own; says what a child shares."""
    flags, exit_signal = _clone_arguments(tracee, call)
    if flags & _CLONE_THREAD:
        run.because("it has several threads")
        raise EndOfRunError("It has several threads, and a schedule leads processes only.")
    if flags & CLONE_NEWPID:
        raise EndOfRunError(NESTED)
    if call.name == "clone3" and flags & CLONE_UNTRACED:
        run.because(f"{tracee.member.name} makes a child that nobody shall trace")
    if call.name == "clone3" and flags & CLONE_NEWTIME:
        run.because(OTHER_CLOCKS)
    if flags & _CLONE_VM and not flags & _CLONE_VFORK:
        run.because("it shares memory")
    if exit_signal != CHLD:
        run.because(f"{tracee.member.name} makes a child that ends without SIGCHLD")
    if flags & (_CLONE_FS | _CLONE_FILES):
        run.because(f"{tracee.member.name} shares its descriptors or its folder with a child")


def _clone_arguments(tracee: Tracee, call: Call) -> tuple[int, int]:
    """Of a fork(2), vfork(2), clone(2) or clone3(2): the flags, and the signal with which the child will end."""
    if call.name == "clone":
        return call.arguments[0], call.arguments[0] & _CSIGNAL
    if call.name == "clone3":
        with contextlib.suppress(OSError, struct.error):
            content = ptrace.read_memory(tracee.tid, call.arguments[0], _CLONE_ARGS.size)
            flags, _, _, _, exit_signal = _CLONE_ARGS.unpack(content)
            return flags, exit_signal
    return 0, CHLD


def _number_the_child(run: Run, tracee: Tracee) -> None:
    """So that it has the same pid in every schedule. See pid_namespaces(7)."""
    member = tracee.member
    if run.in_namespace and not member.spaces:
        number = number_of(f"{member.name}.{member.forks + 1}")
        number = run.chance.pid(number) if run.chance else number
        _NS_LAST_PID.write_text(str(number - 1))
