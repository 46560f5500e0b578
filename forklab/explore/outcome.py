"""What can come of a program, and how: the answer of `forklab.explore`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from forklab.explore.sentences import sentence, waits_for
from forklab.jsonform import JsonObject
from forklab.kernel.statuses import exit_code, killer
from forklab.steps import state as facts
from forklab.steps.deeds import Deed
from forklab.steps.moves import Move
from forklab.steps.schedule import PLAIN, Grain, Schedule
from forklab.steps.state import State


class End(NamedTuple):
    """How it ended: the status of the first process (None: it has not ended, or nobody wants to know), who waits for
    ever, and which children nobody had reaped."""

    status: int | None
    deadlock: tuple[str, ...]
    unreaped: tuple[str, ...]


class StepTaken(NamedTuple):
    """A step of a schedule, and what it was."""

    move: Move
    deed: Deed

    @property
    def does(self) -> str:
        """For people: "P.1 writes 'a\\n'"."""
        return sentence(self.deed)

    def to_json(self) -> dict[str, str]:
        return {"process": self.move.process, "kind": self.move.kind, "does": self.does}


@dataclass(frozen=True)
class Outcome:
    """One thing that can happen. `waits` says, by name, what each process of a `deadlock` waits for.

    `schedule` is a shortest one that leads to it, and `grain` how fine its steps are.
    """

    output: str
    end: End
    schedule: tuple[StepTaken, ...] = ()
    waits: tuple[tuple[str, str], ...] = ()
    grain: Grain = PLAIN

    @property
    def exit(self) -> int | None:
        return exit_code(self.end.status)

    @property
    def signal(self) -> str | None:
        return killer(self.end.status)

    @property
    def deadlock(self) -> tuple[str, ...]:
        return self.end.deadlock

    @property
    def unreaped(self) -> tuple[str, ...]:
        return self.end.unreaped

    @property
    def replay(self) -> Schedule:
        """For `forklab.lens.record.record`: it happens once more."""
        return Schedule(tuple(step.move for step in self.schedule), self.grain)

    def to_json(self) -> JsonObject:
        return {
            "output": self.output,
            "exit": self.exit,
            "signal": self.signal,
            "deadlock": list(self.deadlock),
            "waits": dict(self.waits),
            "unreaped": list(self.unreaped),
            "schedule": [step.to_json() for step in self.schedule],
            **self.grain.to_json(),
        }


def end_of(state: State) -> End:
    """Nothing can happen any more."""
    left = tuple(facts.alive(state))
    ending = state.get(facts.ENDING)
    if isinstance(ending, tuple):
        status, unreaped = ending
        return End(status, left, unreaped)
    zombies = [name for what, name in state if what == facts.LIFE and name not in left]
    return End(None, left, tuple(sorted(zombies, key=facts.order)))


def waits_of(state: State) -> tuple[tuple[str, str], ...]:
    return tuple((name, waits_for(state, name)) for name in facts.alive(state))
