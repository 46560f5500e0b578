"""What a gradebook holds: runs, what was asked in them, and results."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from autograder.labs.scenario import Scenario
from autograder.trial.verdict import Assessment, Status, Verdict


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

    def priced(self, verdict: Verdict) -> Verdict:
        """The same verdict on what the scenario is called and worth now."""
        return replace(
            verdict,
            title=self.title,
            points=self.points if verdict.status is Status.PASSED else 0,
            max_points=self.points,
            extra=self.extra,
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
    points that this costs. `anew` are the scenarios that were judged anew since the lab was changed; the other verdicts
    are those of the attempt before.
    """

    student: str
    assessment: Assessment
    seconds: float = 0.0
    breakdown: str = ""
    late: float = 0.0
    penalty: float = 0.0
    anew: tuple[str, ...] = ()

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
    student's own. `plays` tells for each scenario one play from another: a verdict holds as long as its play is the
    same.
    """

    files: str = ""
    asked: str = ""
    seed: int = 0
    plays: Mapping[str, str] = field(default_factory=dict)

    @property
    def ground(self) -> Hashable:
        """The same for two attempts that can only come to the same verdicts."""
        return self.files, self.asked, *sorted(self.plays.items())
