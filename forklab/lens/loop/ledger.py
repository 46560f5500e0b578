"""What a schedule keeps of its run beside the world: how each thread stands before its call, who is doomed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from forklab.lens.world.chronicle import Member
from forklab.lens.world.pipes import Pipe
from forklab.lens.world.tracees import Call, Seen, Tracee
from forklab.steps.state import Touch


@dataclass(eq=False)
class Standing:
    """`detail` is that of the call before which it is held, as `forklab.steps.state` has it.

    `late`: the clock has moved while it was held there. `moved`: it has run since somebody looked. `makes_it_next`:
    it makes its call as soon as it comes to it again, with the signal mask `mask` if we have set another one for it
    until then. `tries_again`: it has made it, would have had to wait, and
    comes to stand before it as before; `had_seen` is what it had seen then, and `values` were those of what it
    touches. `memory` is a digest of it and of the registers, as they were when somebody looked; `memory_is_old`: it
    has run since then. It has made so many `readings` of the clock in a row; `waits_at_clock`: it is held before
    one until a moment has come. Of the call that it is in: `is_attempt`: it does not wait there, `lent` is our
    descriptor of the open file that was told so, and whether it let wait before, `pipe` is the one that it reads from
    or writes to, `content` what it writes, `dooms` are those to whom it sends SIGKILL; `blurs`: we wait for its
    end only to change the answer. `exits_by`: it ends, in several moments (`forklab.lens.loop.ending`): the registers
    that it has for its exit, None if it dies by a signal, and its first argument; `moments` are the calls that it makes
    before that. `is_led`: it makes the first of them at once, as it got a signal. `is_watched`: nobody has looked yet
    how it has ended.
    """

    detail: tuple[Hashable, ...] = ()
    touches: tuple[Touch, ...] = ()
    blocked: tuple[Hashable, ...] | None = None
    late: bool = False
    moved: bool = True
    makes_it_next: bool = False
    mask: int | None = None
    tries_again: bool = False
    had_seen: Seen | None = None
    values: tuple[Hashable, ...] = ()
    memory: str = ""
    memory_is_old: bool = True
    is_attempt: bool = False
    lent: tuple[int, bool] | None = None
    pipe: Pipe | None = None
    content: bytes = b""
    dooms: tuple[Member, ...] = ()
    blurs: bool = False
    exits_by: tuple[bytes | None, int] | None = None
    moments: tuple[Call, ...] = ()
    is_led: bool = False
    is_watched: bool = True
    readings: int = 0
    waits_at_clock: bool = False


@dataclass(eq=False)
class Ledger:
    """`doomed`: SIGKILL is on its way to them; each dies in a step of its own, as soon as it is chosen.

    `ending`: they have begun to end, and nothing disturbs them any more. `undoers` have used SEM_UNDO.
    `filters`: how many of seccomp(2) a program begins with, ours and those of a stage. `by_memory`: see
    `forklab.steps.schedule.Schedule`.
    """

    doomed: set[Member] = field(default_factory=set)
    ending: set[Member] = field(default_factory=set)
    undoers: set[Member] = field(default_factory=set)
    filters: int = 0
    by_memory: bool = False
    _standings: dict[Tracee, Standing] = field(default_factory=dict)

    def of(self, tracee: Tracee) -> Standing:
        standing = self._standings.get(tracee)
        if standing is None:
            standing = self._standings[tracee] = Standing()
        return standing

    def all(self) -> Iterable[tuple[Tracee, Standing]]:
        return self._standings.items()

    def doom(self, target: Member) -> None:
        if not target.dead and target not in self.ending:
            self.doomed.add(target)
