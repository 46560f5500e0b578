"""A world that follows a schedule: each step is chosen by somebody who sees all that are possible.

Where the seeded world (`forklab.lens.world.world`) asks a random number, this one asks the schedule, and afterwards
takes the first step that is offered. What was the case before each step, what was possible and what was done is kept:
`Taken`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from forklab.lens.edge import proc
from forklab.lens.loop import holding
from forklab.lens.loop.observing import Pipes, state_of
from forklab.lens.world.tracee import Call, EndOfWorldError, Stand, Tracee
from forklab.steps import state as facts
from forklab.steps.state import Fact, Move, moves

if TYPE_CHECKING:
    from forklab.lens.world.world import World


MOST_STEPS = 20_000


class Taken(NamedTuple):
    """A moment and the step that was taken there: `changes` and `output` are what the step before has brought about.

    `changes` has None for a fact that is no more. The last one of a run has no `move`: it is what was left at the end.
    """

    changes: dict[Fact, Hashable]
    offered: tuple[Move, ...]
    move: Move | None
    output: str


class WrongScheduleError(EndOfWorldError):
    """The schedule wants a step that is not possible."""


@dataclass
class Schedule:
    """The steps to take first. `most` is how many steps a run may have."""

    steps: Sequence[Move]
    most: int
    ignored: int = 0  # signals whose handlers are not worth a stop after each call, as a bit mask
    taken: list[Taken] = field(default_factory=list)
    pipes: Pipes = field(default_factory=Pipes)
    stuck: bool = False  # everybody who was left waited for ever
    _known: dict[Fact, Hashable] = field(default_factory=dict)
    _written: int = 0

    def stops_after_calls(self, world: World, tracee: Tracee) -> bool:
        """Whether a signal could be noticed between the end of its call and what it does next."""
        member = tracee.member
        if member not in world.dispositions and (read := proc.masks(member.pid, tracee.tid)):
            world.dispositions[member] = read
        masks = world.dispositions.get(member)
        return masks is not None and bool(masks.caught & ~self.ignored)

    def hold(self, world: World, tracee: Tracee, call: Call) -> bool:
        return holding.hold(world, self.pipes, tracee, call)

    def came_back(self, world: World, tracee: Tracee, call: Call, result: int) -> None:
        holding.came_back(world, tracee, call, result)

    def go_on(self, world: World) -> None:
        """Take the next step. Raises EndOfWorldError if there is none."""
        world.suspects.clear()
        state = state_of(world, self.pipes)
        offered = tuple(moves(state))
        if len(self.taken) >= self.most:
            raise EndOfWorldError(f"It took more than {self.most} steps.")
        move = self._next(offered) if offered else None
        self._note(world, state, offered, move)
        if move is None:
            if world.tracees:
                self.stuck = True
                raise EndOfWorldError(f"Everybody waits for ever: {world.who_waits()}.")
            return
        if move.kind == facts.TIME:
            self._let_time_pass(world)
            return
        tracee = next(t for t in world.tracees.values() if t.member.name == move.process)
        try:
            holding.make(world, self.pipes, tracee, move)
        except ProcessLookupError:  # killed while it was held: its end is reported
            world.let(tracee, Stand.RUNNING)

    def _next(self, offered: Sequence[Move]) -> Move:
        place = len(self.taken)
        if place >= len(self.steps):
            return offered[0]
        wanted = self.steps[place]
        if wanted not in offered:
            possible = ", ".join(f"{move.process} {move.kind}" for move in offered)
            raise WrongScheduleError(
                f"Step {place + 1} of the schedule, {wanted.process} {wanted.kind}, is not possible here:"
                f" only {possible}."
            )
        return wanted

    def _note(
        self,
        world: World,
        state: dict[Fact, Hashable],
        offered: tuple[Move, ...],
        move: Move | None,
    ) -> None:
        known = self._known
        changes = {fact: value for fact, value in state.items() if known.get(fact) != value}
        changes.update({fact: None for fact in known if fact not in state})
        written = world.outcome.output[self._written :]
        self._written = len(world.outcome.output)
        self._known = state
        self.taken.append(Taken(changes, offered, move, "".join(written)))

    def _let_time_pass(self, world: World) -> None:
        """On to the next deadline; who is held before a call has been in it since before."""
        for tracee in world.tracees.values():
            tracee.late = tracee.late or tracee.stand is Stand.HELD
        world.jump()
