"""A schedule: which steps are taken first, and all that it takes to take them again."""

from __future__ import annotations

from typing import NamedTuple, Self

from forklab.jsonform import JsonObject
from forklab.kernel.signals import mask_of, numbers_in, signal_name
from forklab.steps.chance import Chance
from forklab.steps.moves import Move, MoveKind

MOST_STEPS = 20_000


class Grain(NamedTuple):
    """How finely a run is cut into steps: the same moves with another grain are another schedule.

    `unwatched` are signals whose handlers are not worth a stop after each call, as a bit mask. `shared` are resources
    that more than one process has to do with, and that one of them changes: each call on one is a step of its own.
    """

    unwatched: int = 0
    shared: frozenset[str] = frozenset()

    def to_json(self) -> JsonObject:
        """What is empty is left out."""
        form: JsonObject = {}
        if self.unwatched:
            form["unwatched"] = [signal_name(number) for number in numbers_in(self.unwatched)]
        if self.shared:
            form["shared"] = sorted(self.shared)
        return form

    @classmethod
    def from_json(cls, form: JsonObject) -> Self:
        """Raises TypeError or ValueError if `form` has none."""
        return cls(mask_of(form.get("unwatched", ())), frozenset(form.get("shared", ())))


PLAIN = Grain()


class Schedule(NamedTuple):
    """`moves` are taken first, then always the first step that is possible (see Scheduled), up to `most` steps.

    `by_memory`: what a process has seen is what it can still tell of it (`forklab.lens.loop.remembering`). The same
    steps are possible, but more states are equal. `chance`: what nobody decides is other than as a rule; that is no
    part of what is written down.
    """

    moves: tuple[Move, ...] = ()
    grain: Grain = PLAIN
    most: int = MOST_STEPS
    by_memory: bool = False
    chance: Chance | None = None

    def to_json(self) -> JsonObject:
        return {
            "schedule": [{"process": move.process, "kind": move.kind} for move in self.moves],
            **self.grain.to_json(),
            "most": self.most,
        }

    @classmethod
    def from_json(cls, form: JsonObject) -> Self:
        """Raises KeyError, TypeError or ValueError if `form` is no schedule."""
        moves = tuple(Move(step["process"], MoveKind(step["kind"])) for step in form["schedule"])
        return cls(moves, Grain.from_json(form), form.get("most", MOST_STEPS))
