"""Letting time pass: the clock jumps to the next deadline, and who has waited for it wakes."""

from __future__ import annotations

from collections.abc import Collection

from forklab.counted import counted
from forklab.lens.calls import dispatch
from forklab.lens.loop.loop import Loop
from forklab.lens.world import clock as clocks
from forklab.lens.world import stands
from forklab.lens.world.limits import EndOfRunError
from forklab.lens.world.run import Run
from forklab.lens.world.stands import Stand


def jump(loop: Loop, waking: Collection[Stand], longest: int = clocks.NEVER) -> bool:
    """Nobody can run: on to the next deadline, if there is one, and the clock does not jump for longer than that.

    See `wake_the_due` for `waking`.
    """
    run = loop.run
    deadline = next_deadline(run)
    if deadline is None or deadline - run.clock.now > longest:
        return False
    run.clock.rests()
    run.clock.jump_to(deadline)
    if run.clock.seconds > run.limits.virtual_seconds:
        raise EndOfRunError(
            f"It went on for more than {counted(run.limits.virtual_seconds, 'second')} of virtual time."
        )
    wake_the_due(loop, waking)
    return True


def keep_up(loop: Loop, waking: Collection[Stand]) -> None:
    """Somebody can run, and the clock has moved without a jump, or ought to: so much has been done by now."""
    run = loop.run
    if not run.somebody_waits_for_a_moment:
        return
    if run.clock.is_late and next_deadline(run) is not None:
        run.clock.goes_by()
    wake_the_due(loop, waking)


def next_deadline(run: Run) -> int | None:
    """Who is stopped does not wake, however long it meant to sleep; it is late then when it goes on."""
    awaited = (t for t in run.world.tracees.values() if t.stand is not stands.STOPPED)
    deadlines = [tracee.deadline for tracee in awaited if tracee.deadline is not None]
    deadlines += [deadline for _, deadline in run.timer_deadlines()]
    deadlines += run.alarms.file_deadlines()
    return min(deadlines, default=None)


def wake_the_due(loop: Loop, waking: Collection[Stand]) -> None:
    """All whose deadline has come: their timers ring, and who stands like that goes on."""
    run = loop.run
    run.time_passes()
    run.suspects.update(run.alarms.ring_the_due(run.clock))
    for tracee in list(run.world.tracees.values()):
        due = tracee.deadline is not None and tracee.deadline <= run.clock.now
        if due and tracee.stand in waking:
            try:
                onward = dispatch.time_is_up(run, tracee)
            except ProcessLookupError:  # killed meanwhile: its end is reported
                run.world.let(tracee, stands.RUNNING)
                continue
            if onward is not None:
                loop.goes_on(tracee, onward)
