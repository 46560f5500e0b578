"""results/STUDENT.json, in the form that Gradescope reads from /autograder/results/results.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autograder.feedback import plain, summary
from autograder.gradebook import Gradebook, Result, Run
from autograder.printable import first_sentence
from autograder.reports.files import file_stems, write_whole
from autograder.verdict import Status, Verdict


def write(gradebook: Gradebook, run: Run, folder: Path) -> None:
    """One file for each student who has been graded."""
    stems = file_stems(run.students)
    for result in gradebook.results(run):
        text = json.dumps(results_json(run, result), indent=1, ensure_ascii=False)
        write_whole(folder / f"{stems[result.student]}.json", text + "\n")


def results_json(run: Run, result: Result) -> dict[str, Any]:
    """Gradescope's form; the tests stand in the order of the lab.

    A scenario that could not be judged counts 0 of 0 and has neither of Gradescope's two statuses
    (passed, failed): its name says what became of it.
    """
    why = {asked.name: asked.why for asked in run.scenarios}
    assessment = result.assessment
    return {
        "score": assessment.score,
        "output": f"{summary(assessment).plain}.\nJudged in mode {assessment.mode or 'none'}.",
        "output_format": "text",
        "visibility": "visible",
        "tests": [
            _test(position, verdict, why.get(verdict.scenario, ""))
            for position, verdict in enumerate(assessment.verdicts, start=1)
        ],
    }


def _test(position: int, verdict: Verdict, why: str) -> dict[str, Any]:
    judged = verdict.status in (Status.PASSED, Status.FAILED)
    test: dict[str, Any] = {
        "number": str(position),
        "name": verdict.title if judged else f"{verdict.title} ({verdict.status}, not counted)",
        "score": verdict.points if judged else 0,
        "max_score": verdict.max_points if judged else 0,
        "output": plain(verdict, why) or first_sentence(verdict.title),
        "output_format": "text",
        "visibility": "visible",
        "tags": [verdict.scenario],
    }
    if judged:
        test["status"] = str(verdict.status)
    return test
