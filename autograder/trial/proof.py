"""What is known of a scenario over all schedules: it is proved, or lost by one of them, or open."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from autograder.labs.shortened import SHORT
from autograder.trial.verdict import Verdict
from forklab.history import History
from forklab.jsonform import JsonObject
from forklab.steps.schedule import Schedule

SECONDS = 60.0  # on the processor for one, if nobody says anything else
NEEDED_FOR_A_PROOF = "that takes a PID namespace of its own"


class Standing(StrEnum):
    """Three answers, never blurred; and none, where this scenario cannot be played."""

    PROVED = "proved"  # it passes in every schedule
    IN_SMALL = "proved in small"  # with shorter rows of actors it does
    LOST = "lost"  # there is one in which it fails
    OPEN = "open"  # neither is known
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Loss:
    """A schedule in which a play fails, seen to do so. `steps` say in words what happens; who goes on only is left out.

    `history` is that of the play, by the names of its script; `replay` makes it happen once more. `is_shortest`: of
    all that lose.
    """

    verdict: Verdict
    steps: tuple[str, ...]
    history: History
    replay: Schedule
    is_shortest: bool


@dataclass(frozen=True)
class Proof:
    """`schedules` is how many there are, 0 if that is not known, and `losing` those in which it fails.

    `in_small`: with shorter rows of actors than the scenario has. `timed`: somebody has waited for a moment, and time
    passes only when nobody can go on: of those who are so slow that it comes before they have, nothing is known.
    `states` and `plays`, real ones, were enough to know, in so many `seconds` on the processor. `reasons` say why
    nothing is certain, in halves of sentences; of a scenario that was skipped, why it was.
    """

    scenario: str
    standing: Standing
    schedules: int = 0
    losing: int = 0
    states: int = 0
    plays: int = 0
    seconds: float = 0.0
    reasons: tuple[str, ...] = ()
    loss: Loss | None = None
    in_small: bool = False
    timed: bool = False

    @property
    def words(self) -> str:
        """In one sentence, without its full stop."""
        small = f", with {SHORT} in a row" if self.in_small else ""
        small += ", if nobody is slower than a timer" if self.timed else ""
        match self.standing:
            case Standing.PROVED | Standing.IN_SMALL:
                return f"right in {_all(self.schedules)}{small}"
            case Standing.LOST:
                if not self.schedules:
                    return f"there is a schedule in which it fails{small}"
                if self.losing == self.schedules:
                    return f"fails in {_all(self.schedules)}{small}"
                return f"fails in {self.losing:,} of all {self.schedules:,} schedules{small}"
            case Standing.OPEN:
                return f"not known: {'; '.join(self.reasons)}. In what was seen it never failed"
            case Standing.SKIPPED:
                return f"skipped: {'; '.join(self.reasons)}"

    def to_json(self) -> JsonObject:
        form: JsonObject = {
            "scenario": self.scenario,
            "standing": str(self.standing),
            "schedules": self.schedules,
            "losing": self.losing,
            "in_small": self.in_small,
            "timed": self.timed,
            "states": self.states,
            "plays": self.plays,
            "reasons": list(self.reasons),
        }
        if self.loss is not None:
            form["loss"] = {
                "verdict": self.loss.verdict.to_json(),
                "steps": list(self.loss.steps),
                "is_shortest": self.loss.is_shortest,
                "history": self.loss.history.to_json(),
                **self.loss.replay.to_json(),
            }
        return form


def _all(schedules: int) -> str:
    return "the only schedule" if schedules == 1 else f"all {schedules:,} schedules"
