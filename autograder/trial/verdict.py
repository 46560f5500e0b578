"""What the judge says of one submission: a verdict a scenario, and their sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from autograder.labs.scenario import Scenario
from forklab.history import History, Remark, State
from forklab.jsonform import JsonObject


class Status(StrEnum):
    """Four outcomes, never blurred."""

    PASSED = "passed"
    FAILED = "failed"  # the student's doing
    ERROR = "error"  # ours: it costs the student nothing and is shouted to the instructor
    SKIPPED = "skipped"  # this machine cannot do it; the message says what is missing


class Hindrance(StrEnum):
    """Why nothing of a submission could be played: the student's doing, and no failure of any one scenario."""

    NOT_BUILT = "not built"
    NOTHING = "nothing handed in"


@dataclass(frozen=True)
class Verdict:
    """How one scenario went.

    `scenario` is the scenario file's name without its suffix; `failed_step` is the line of
    `script`, counted from 1, at which it failed. `expected` and `observed` both end at that line,
    or at the end of the play; `remarks` are what the judge saw or misses in the observed tree, by
    process, `expected_remarks` what an observer of a correct init would see ("waiting for any
    child"). The time of an event is the number of the script line that made it: a play is ordered
    by its steps, it has no clock, and its histories do not depend on how fast the machine is.

    `proof` is what is known of it over all schedules, a sentence; empty where nobody has looked at them.

    `extra`: its points are extra credit. `seconds` is how long the play took on the wall: no part of the
    verdict, neither compared nor in its JSON.
    """

    scenario: str
    title: str
    status: Status
    points: float
    max_points: float
    message: str
    script: str
    failed_step: int | None = None
    expected: History = field(default_factory=History)
    observed: History = field(default_factory=History)
    remarks: Mapping[str, Remark] = field(default_factory=dict)
    expected_remarks: Mapping[str, Remark] = field(default_factory=dict)
    extra: bool = False
    proof: str = ""
    seconds: float = field(default=0.0, compare=False)

    @classmethod
    def of(cls, scenario: Scenario, status: Status, message: str) -> Self:
        """On a scenario of which there is no more to tell: nothing was played, or not to its end."""
        return cls(
            scenario.name,
            scenario.title,
            status,
            points=scenario.points if status is Status.PASSED else 0,
            max_points=scenario.points,
            message=message,
            script=scenario.script,
            extra=scenario.extra,
        )

    def __hash__(self) -> int:
        return hash((self.scenario, self.status, self.message))

    def to_json(self) -> JsonObject:
        return {
            "name": self.scenario,
            "title": self.title,
            "status": str(self.status),
            "points": self.points,
            "max_points": self.max_points,
            "message": self.message,
            "script": self.script,
            "failed_step": self.failed_step,
            "expected": self.expected.to_json(),
            "observed": self.observed.to_json(),
            "remarks": _remarks_to_json(self.remarks),
            "expected_remarks": _remarks_to_json(self.expected_remarks),
            **({"extra": True} if self.extra else {}),
            **({"proof": self.proof} if self.proof else {}),
        }

    @classmethod
    def from_json(cls, form: JsonObject) -> Self:
        return cls(
            scenario=form["name"],
            title=form["title"],
            status=Status(form["status"]),
            points=form["points"],
            max_points=form["max_points"],
            message=form["message"],
            script=form["script"],
            failed_step=form["failed_step"],
            expected=History.from_json(form["expected"]),
            observed=History.from_json(form["observed"]),
            remarks=_remarks_from_json(form["remarks"]),
            expected_remarks=_remarks_from_json(form["expected_remarks"]),
            extra=form.get("extra", False),
            proof=form.get("proof", ""),
        )


@dataclass(frozen=True)
class Assessment:
    """All verdicts on one submission. `mode` says where init stood, and by which time; empty if nothing was started.

    `unenforced` says in sentences what the machine could not forbid the submission. `hindrance` is why nothing could be
    played, all verdicts being failed then. `remarks` are about a build that went well: a compiler's warnings, and what
    was left out.

    What ends in an error or is skipped counts neither for nor against the student: `max_score` is
    the sum of what was really judged, so a score never promises more than was checked. Extra credit
    is in the score and not in the maximum.
    """

    lab: str
    mode: str
    verdicts: tuple[Verdict, ...]
    unenforced: tuple[str, ...] = ()
    hindrance: Hindrance | None = None
    remarks: str = ""

    @property
    def _judged(self) -> list[Verdict]:
        return [v for v in self.verdicts if v.status in (Status.PASSED, Status.FAILED)]

    @property
    def score(self) -> float:
        return sum(verdict.points for verdict in self._judged)

    @property
    def max_score(self) -> float:
        return sum(verdict.max_points for verdict in self._judged if not verdict.extra)

    @property
    def status(self) -> Status:
        """The gravest of its verdicts: error, failed, passed; skipped if nothing could be judged."""
        found = {verdict.status for verdict in self.verdicts}
        for status in (Status.ERROR, Status.FAILED, Status.PASSED):
            if status in found:
                return status
        return Status.SKIPPED

    @property
    def standing(self) -> str:
        """What became of it in a word or two: what hindered all plays, else the gravest of its verdicts."""
        return str(self.hindrance or self.status)

    def to_json(self) -> JsonObject:
        return {
            "lab": self.lab,
            "mode": self.mode,
            "score": self.score,
            "max_score": self.max_score,
            "unenforced": list(self.unenforced),
            "scenarios": [verdict.to_json() for verdict in self.verdicts],
            **({"hindrance": str(self.hindrance)} if self.hindrance else {}),
            **({"remarks": self.remarks} if self.remarks else {}),
        }

    @classmethod
    def from_json(cls, form: JsonObject) -> Self:
        return cls(
            form["lab"],
            form["mode"],
            tuple(Verdict.from_json(v) for v in form["scenarios"]),
            tuple(form.get("unenforced", ())),
            Hindrance(form["hindrance"]) if "hindrance" in form else None,
            form.get("remarks", ""),
        )


def _remarks_to_json(remarks: Mapping[str, Remark]) -> JsonObject:
    return {
        name: {key: value for key, value in vars(remark).items() if value is not None}
        for name, remark in remarks.items()
    }


def _remarks_from_json(form: JsonObject) -> dict[str, Remark]:
    return {
        name: Remark(
            state=State(remark["state"]) if "state" in remark else None,
            words=remark.get("words"),
            unexpected=remark.get("unexpected"),
        )
        for name, remark in form.items()
    }
