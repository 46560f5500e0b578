"""What a verdict stands on: the submission, the lab, and the play, each told apart by a digest.

    lab, mode -> LabTerms; submission -> Terms

As long as they are the same, a verdict holds; what has changed is judged anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from autograder.grading.records import Terms
from autograder.labs.generate import seed_of, with_generated
from autograder.labs.lab import Lab
from autograder.labs.playbill import REFERENCE
from autograder.labs.scenario import Scenario
from autograder.labs.solution import digests_of_solution
from autograder.submission.submissions import Submission, state_of


class LabTerms:
    """What one lab asks, reckoned once for a whole class. `lab` is without the scenarios that are generated."""

    def __init__(self, lab: Lab, mode: str | None, seed: int = 0) -> None:
        """`seed`: by which it is decided in virtual time who is next, 0: by none."""
        self._lab = lab
        self._mode = mode = f"{mode}, seed {seed}" if seed else mode
        self._asked = digest_of(lab, mode)
        self._plays = self._digests(lab.scenarios)

    def of(self, submission: Submission) -> Terms:
        """What is asked of a submission now, and what it is."""
        seed = seed_of(self._lab.name, submission.student)
        made = with_generated(self._lab, seed).scenarios[len(self._lab.scenarios) :]
        plays = {**self._plays, **self._digests(made)}
        return Terms(state_of(submission), self._asked, seed, plays)

    def _digests(self, scenarios: Sequence[Scenario]) -> dict[str, str]:
        return {s.name: digest_of_play(self._lab, s, self._mode) for s in scenarios}


def digest_of(lab: Lab, mode: str | None) -> str:
    """Tells one lab from another, by all that is asked, what it is worth and how it is called."""
    # The script says what its steps are, and is the same whatever a later version makes of it.
    plays = [replace(scenario, path=Path(), steps=()) for scenario in lab.scenarios]
    return _digest(mode, _bare(lab), lab.generated, *plays, *_reference(lab))


def digest_of_play(lab: Lab, scenario: Scenario, mode: str | None) -> str:
    """Tells one play from another, by all that may decide it; what it is worth and how it is called may change."""
    play = replace(
        scenario,
        path=Path(),
        steps=(),
        title="",
        why="",
        points=0,
        hidden=False,
        extra=False,
        untested=None,
    )
    return _digest(mode, _bare(lab), play, *_reference(lab))


def _bare(lab: Lab) -> Lab:
    """What of a lab holds for each of its plays."""
    return replace(lab, title="", folder=Path(), scenarios=(), late=None, generated=None)


def _reference(lab: Lab) -> tuple[str, ...]:
    """What the lab's own solution is, where others are compared with it."""
    return digests_of_solution(lab) if lab.bill.expected == REFERENCE else ()


def _digest(*words: object) -> str:
    return hashlib.sha256(repr(words).encode(errors="surrogatepass")).hexdigest()
