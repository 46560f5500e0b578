"""What a gradebook holds: runs, what was asked in them, and results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from autograder.labs.scenario import Scenario
from autograder.trial.verdict import Assessment


@dataclass(frozen=True)
class Asked:
    """One scenario of a run, as the reports need it: `name` as in the verdicts.

    `hidden`: students are told neither its name nor what it plays. `extra`: its points come on top of the maximum.
    """

    name: str
    title: str
    points: float
    why: str
    hidden: bool = False
    extra: bool = False

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        return cls(
            scenario.name,
            scenario.title,
            scenario.points,
            scenario.why,
            scenario.hidden,
            scenario.extra,
        )


@dataclass(frozen=True)
class Run:
    """One grading of a class; `started` is ISO 8601, UTC."""

    id: int
    lab: str
    title: str
    started: str
    scenarios: tuple[Asked, ...]
    students: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """One student's attempt.

    `breakdown` is the traceback if the grader itself broke down; `late` are seconds after the due time, `penalty` the
    points that this costs.
    """

    student: str
    assessment: Assessment
    seconds: float = 0.0
    breakdown: str = ""
    late: float = 0.0
    penalty: float = 0.0

    @property
    def unenforced(self) -> tuple[str, ...]:
        """What the machine could not forbid the submission."""
        return self.assessment.unenforced

    @property
    def score(self) -> float:
        """What counts: never below 0."""
        return max(0.0, self.assessment.score - self.penalty)


@dataclass(frozen=True)
class Terms:
    """What an attempt stands on. It may be continued as long as these are the same.

    `files` tells one state of the submission from another, `asked` one lab and mode from another; `seed` is the
    student's own.
    """

    files: str = ""
    asked: str = ""
    seed: int = 0
