"""On Gradescope, where one submission is judged at a time: results.json is there from the beginning.

Gradescope ends a container that takes too long or needs too much, and shows what the file says then. So it first says
that nothing is judged yet, and grows with each verdict; what has no verdict is an error of ours and costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from autograder.errors import CommandError
from autograder.grading.records import Asked, Result, Run
from autograder.labs.lab import Lab
from autograder.labs.scenario import Scenario
from autograder.reports.files import write_whole
from autograder.reports.gradescope import results_json
from autograder.trial.verdict import Assessment, Status, Verdict


class ResultsFile:
    """results.json of one submission. Raises CommandError if it cannot be written.

    `penalty_of` says what lateness costs of so many points; `late` are the seconds after the due time.
    """

    def __init__(
        self,
        path: Path,
        lab: Lab,
        late: float = 0.0,
        penalty_of: Callable[[float], float] = lambda score: 0.0,
    ) -> None:
        self._path = path
        self._lab = lab
        self._late = late
        self._penalty_of = penalty_of
        self._verdicts: list[Verdict] = []
        self.write(self._so_far())

    def add(self, verdict: Verdict) -> None:
        """One more verdict has come."""
        self._verdicts.append(verdict)
        self.write(self._so_far())

    def write(self, assessment: Assessment) -> None:
        """Replaces what the file says."""
        run = Run(
            0,
            self._lab.name,
            self._lab.title,
            datetime.now(UTC).isoformat(timespec="seconds"),
            tuple(Asked.of(scenario) for scenario in self._lab.scenarios),
            ("submission",),
        )
        penalty = self._penalty_of(assessment.score)
        result = Result("submission", assessment, late=self._late, penalty=penalty)
        text = json.dumps(results_json(run, result), ensure_ascii=False)
        try:
            write_whole(self._path, text + "\n")
        except OSError as error:
            raise CommandError(f"{self._path} cannot be written ({error.strerror}).") from error

    def _so_far(self) -> Assessment:
        told = {verdict.scenario for verdict in self._verdicts}
        left = [s for s in self._lab.scenarios if s.name not in told]
        return Assessment(self._lab.name, "", (*self._verdicts, *_not_reached(left)))


def _not_reached(scenarios: Sequence[Scenario]) -> list[Verdict]:
    message = "The grader was stopped before it came to this. That costs no points: submit again."
    return [Verdict.of(scenario, Status.ERROR, message) for scenario in scenarios]
