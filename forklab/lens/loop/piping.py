"""Reads and writes at pipes, where everybody is held before them: and what, in truth, may have begun by then."""

from __future__ import annotations

import os

from forklab.kernel.calls import int32
from forklab.lens.calls import hiding, writing
from forklab.lens.calls.touching import F_SETFL
from forklab.lens.edge import proc
from forklab.lens.loop.ledger import Ledger
from forklab.lens.world.pipes import Pipe
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import PIPE_BUF, READ_END, READS, WRITE_END, WRITES


def begin(run: Run, ledger: Ledger, tracee: Tracee, call: Call) -> None:
    """It is let into a read or a write."""
    standing = ledger.of(tracee)
    pipe = run.pipes.find(tracee.member, int32(call.arguments[0]))
    if pipe is None:
        return
    size = writing.size_of(tracee, call)
    if call.name in READS:
        standing.pipe = pipe
        if size > len(pipe.content):
            _notice_writers(run, ledger, pipe)
        return
    try:
        standing.content = writing.written(tracee, call)
    except OSError:  # EFAULT
        hiding.notice(run, tracee)
        return
    standing.pipe = pipe
    if pipe.may_have_no_room(size):
        run.because(f"{tracee.member.name} writes where a pipe may have no room, counted in pages")
    tracee.may_sleep = bool(pipe.content)
    living = {other.member for other in run.world.tracees.values()}
    waits = WRITE_END not in pipe.nonblocking and run.pipes.count(pipe, READ_END, living)
    if waits and not pipe.has_room_for(size):
        _say(run, tracee)
        tracee.may_sleep = True


def set_flags(run: Run, ledger: Ledger, tracee: Tracee, call: Call) -> None:
    """fcntl(2), ioctl(2). Who sleeps at a pipe already is not woken when O_NONBLOCK is set."""
    if call.name == "fcntl" and (
        int32(call.arguments[1]) != F_SETFL or not call.arguments[2] & os.O_NONBLOCK
    ):
        return
    pipe = run.pipes.find(tracee.member, int32(call.arguments[0]))
    for other in run.world.tracees.values():
        if pipe is not None and other is not tracee and _is_held_at(ledger, other, pipe):
            run.because(
                f"{tracee.member.name} sets O_NONBLOCK where {other.member.name} may sleep by then"
            )


def notice_who_is_disturbed(run: Run, ledger: Ledger, tracee: Tracee) -> None:
    """A signal comes for one whose write, held as a whole, has begun in truth."""
    if any(_writes_in_pieces(ledger, tracee, pipe) for pipe in run.pipes.by_file.values()):
        masks = proc.masks(tracee.member.pid, tracee.tid)
        if masks is not None and masks.deliverable:
            _say(run, tracee)


def _notice_writers(run: Run, ledger: Ledger, pipe: Pipe) -> None:
    """Somebody reads more than is there; but those whose writes are held have put some bytes there by now."""
    for other in run.world.tracees.values():
        if _writes_in_pieces(ledger, other, pipe):
            _say(run, other)


def _writes_in_pieces(ledger: Ledger, tracee: Tracee, pipe: Pipe) -> bool:
    """Whether it is held before a write that has no room there as a whole, but could have begun."""
    if not _is_held_at(ledger, tracee, pipe) or tracee.call is None or tracee.call.name in READS:
        return False
    size = ledger.of(tracee).detail[1]
    assert isinstance(size, int)
    return size > PIPE_BUF and not pipe.has_room_for(size)


def _is_held_at(ledger: Ledger, tracee: Tracee, pipe: Pipe) -> bool:
    call = tracee.held_call
    at_it = call is not None and call.name in READS | WRITES
    return at_it and ledger.of(tracee).detail[:1] == (pipe.name,)


def _say(run: Run, tracee: Tracee) -> None:
    run.because(f"{tracee.member.name} writes more into a pipe than fits, piece by piece")
