"""What a stop at a system call means: who is held, who goes on, what is written down.

`entered` is called at the entry of a call, `returned` at its exit, `time_is_up` when the deadline of somebody has come
who is in one. See the man page of each call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forklab.lens.calls import groups as calls
from forklab.lens.calls import patience, sending, sleeping, timers, waiting, writing
from forklab.lens.edge import ptrace
from forklab.lens.edge.arch import this_arch
from forklab.lens.world.tracee import Call, Stand, Tracee

if TYPE_CHECKING:
    from forklab.lens.world.world import World

_NAMES = {number: name for name, number in this_arch().calls.items()}
_EINTR = 4


def entered(world: World, tracee: Tracee) -> None:
    """It is about to make a call at which the filter stops it."""
    stop = ptrace.call(tracee.tid)
    name = _NAMES[stop.number]
    resumed = tracee.call if tracee.interrupted else None
    call = tracee.call = Call(name, stop.arguments)
    again = resumed is not None and (resumed.name == name or name == "restart_syscall")
    if not again:
        tracee.deadline = None
    tracee.interrupted = False
    if name in calls.CLOCKS:
        sleeping.read_clock(world, tracee, call)
        return
    if name not in calls.IDLING:
        world.clock.rest()
    if name == "restart_syscall" and again and resumed is not None:
        call = tracee.call = Call(resumed.name, resumed.arguments)
        name = call.name
    if name in calls.SLEEPS and world.controlled:
        sleeping.sleep(world, tracee, call)
    elif world.schedule is None or not world.schedule.hold(world, tracee, call):
        make(world, tracee, call, again=again)


def make(world: World, tracee: Tracee, call: Call, *, again: bool = False) -> None:
    """It makes the call now. `again`: it has been in it before, and a signal has got it out."""
    name = call.name
    if name in calls.TIMERS and world.controlled:
        timers.use_timer(world, tracee, call)
    elif name in calls.WAITS:
        waiting.wait(world, tracee, call)
    elif name in calls.WRITES:
        writing.write(world, tracee, call)
    elif name in calls.SIGNALLING:
        sending.send(world, tracee, call)
    elif name in calls.PATIENT:
        patience.be_patient(world, tracee, call, again=again)
    elif name in calls.READS:
        writing.read(world, tracee, call)
    elif name in calls.SUSPENDING:
        world.go_on(tracee, to_exit=True)
    elif name in calls.UNTIMED:
        world.because("it uses timers that run in real time")
        world.go_on(tracee)
    else:
        if name == "rt_sigaction":
            world.dispositions.pop(tracee.member, None)
        world.go_on(tracee)


def returned(world: World, tracee: Tracee) -> None:
    """It comes out of a call at whose exit we wanted to see it."""
    call = tracee.call
    result = ptrace.call(tracee.tid).number
    tracee.interrupted = result in calls.INTERRUPTED
    if call is not None:
        if call.patched is not None:
            ptrace.set_argument(tracee.tid, *call.patched)
        if call.expired is not None:
            if tracee.interrupted or result == -_EINTR:
                ptrace.set_result(tracee.tid, call.expired)
            tracee.interrupted = False
        elif tracee.interrupted and call.name in calls.SLEEPS:
            sleeping.tell_what_is_left(world, tracee, call)
        elif call.name in calls.WAITS and not tracee.interrupted:
            waiting.waited(world, tracee, call, result)
        elif call.name == "timer_create" and result == 0:
            timers.created_timer(world, tracee, call)
    if not tracee.interrupted:
        tracee.deadline = None
    if world.schedule is not None and call is not None:
        world.schedule.came_back(world, tracee, call, result)
    world.ready(tracee)


def time_is_up(world: World, tracee: Tracee) -> None:
    """The deadline of its call has come."""
    assert tracee.call is not None
    if tracee.stand is Stand.HELD:
        sleeping.wake(world, tracee)
    elif tracee.stand is Stand.INSIDE:
        patience.expire(world, tracee, tracee.call)
