"""A schedule: which steps are taken first, and all that it takes to take them again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from forklab.jsonform import JsonObject
from forklab.kernel.signals import mask_of, numbers_in, signal_name
from forklab.steps.moves import Move, MoveKind

MOST_STEPS = 20_000


@dataclass(frozen=True)
class Schedule:
    """`moves` are taken first, then always the first step that is possible, up to `most` steps in all.

    `unwatched` are signals whose handlers are not worth a stop after each call, as a bit mask. It decides which steps
    there are, so the same moves with another mask are another schedule.
    """

    moves: tuple[Move, ...] = ()
    unwatched: int = 0
    most: int = MOST_STEPS

    def to_json(self) -> JsonObject:
        return {
            "schedule": [{"process": move.process, "kind": move.kind} for move in self.moves],
            **unwatched_to_json(self.unwatched),
            "most": self.most,
        }

    @classmethod
    def from_json(cls, form: JsonObject) -> Self:
        """Raises KeyError, TypeError or ValueError if `form` is no schedule."""
        moves = tuple(Move(step["process"], MoveKind(step["kind"])) for step in form["schedule"])
        unwatched = mask_of(form.get("unwatched", ()))
        return cls(moves, unwatched, form.get("most", MOST_STEPS))


def unwatched_to_json(mask: int) -> dict[str, list[str]]:
    """Left out where there are none."""
    names: Iterable[str] = map(signal_name, numbers_in(mask))
    return {"unwatched": list(names)} if mask else {}
