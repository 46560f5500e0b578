"""results/STUDENT.json, in the form that Gradescope reads from /autograder/results/results.json."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from autograder.grading.records import Result, Run
from autograder.reports.cells import first_sentence
from autograder.reports.feedback import common_reason, plain, summary
from autograder.reports.files import file_stems, write_whole
from autograder.reports.veil import veiled
from autograder.trial.verdict import Status, Verdict
from forklab.counted import counted

_REASON_ABOVE = "No scenario could be played: the reason stands above."


class ResultsFolder:
    """One file for each student who has been graded."""

    def __init__(self, run: Run, folder: Path) -> None:
        self._run = run
        self._folder = folder
        self._stems = file_stems(run.students)

    def add(self, result: Result) -> None:
        text = json.dumps(results_json(self._run, result), ensure_ascii=False)
        write_whole(self._folder / f"{self._stems[result.student]}.json", text + "\n")


def results_json(run: Run, result: Result) -> dict[str, object]:
    """Gradescope's form; the tests stand in the order of the lab, hidden scenarios without name and play at its end.

    A scenario that could not be judged counts 0 of 0 and has neither of Gradescope's two statuses
    (passed, failed): its name says what became of it.
    """
    why = {asked.name: asked.why for asked in run.scenarios}
    result = veiled(run, result)
    assessment = result.assessment
    words = [f"{summary(assessment).plain}."]
    if result.penalty:
        words.append(f"Handed in late: {counted(round(result.penalty, 2), 'point')} off.")
    if assessment.mode:
        words.append(f"Judged in mode {assessment.mode}.")
    words += [f"Not enforced there: {lack}." for lack in result.unenforced]
    reason = common_reason(assessment)
    words += [text for text in (assessment.remarks, reason) if text]
    return {
        "score": result.score,
        "output": "\n".join(words),
        "output_format": "text",
        "visibility": "visible",
        "tests": [
            _test(position, verdict, why.get(verdict.scenario, ""), told=reason is not None)
            for position, verdict in enumerate(assessment.verdicts, start=1)
        ],
    }


@lru_cache(maxsize=4096)
def _plain(verdict: Verdict, why: str) -> str:
    return plain(verdict, why)


def _test(position: int, verdict: Verdict, why: str, *, told: bool) -> dict[str, object]:
    """One scenario; `told`: what is to be said of it has been said above, of all of them."""
    judged = verdict.status in (Status.PASSED, Status.FAILED)
    test: dict[str, object] = {
        "number": str(position),
        "name": verdict.title if judged else f"{verdict.title} ({verdict.status}, not counted)",
        "score": verdict.points if judged else 0,
        "max_score": verdict.max_points if judged and not verdict.extra else 0,
        "output": _REASON_ABOVE if told else _plain(verdict, why) or first_sentence(verdict.title),
        "output_format": "text",
        "visibility": "visible",
        "tags": [verdict.scenario],
    }
    if judged:
        test["status"] = str(verdict.status)
    return test
