"""What has come of a search for a play that a submission fails (fuzz.py)."""

from __future__ import annotations

from dataclasses import dataclass, field

from autograder.labs.scenario import Scenario
from autograder.trial.verdict import Verdict


@dataclass(frozen=True)
class Finding:
    """A play that fails, and how; `steps` is how long it was when it was found."""

    scenario: Scenario
    verdict: Verdict
    steps: int


@dataclass
class Search:
    """What has come of one: so many plays until something was found, or until the end.

    `finding` is the smallest failing play; `whole`: nothing smaller was left to try. `undecided` is the verdict that
    ended the search because it is none: the grader's own trouble, or that such plays cannot be played here.
    `unsteady` is how plays failed that did not fail again.
    """

    plays: int = 0
    unsteady: list[Verdict] = field(default_factory=list)
    finding: Finding | None = None
    whole: bool = True
    undecided: Verdict | None = None
