"""What a student may see of a result: of hidden scenarios how they went, and neither their names nor their plays."""

from __future__ import annotations

from dataclasses import replace

from autograder.grading.records import Result, Run
from autograder.reports.feedback import common_reason
from autograder.trial.verdict import Assessment, Verdict


def has_hidden(run: Run) -> bool:
    return any(asked.hidden for asked in run.scenarios)


def veiled(run: Run, result: Result) -> Result:
    """The same result with each hidden verdict made anonymous: "Hidden scenario 2", its status and its points.

    They come last, in the lab's order: their place would tell what they are about.
    """
    hidden = [asked.name for asked in run.scenarios if asked.hidden]
    if not hidden:
        return result
    # Why nothing could be played at all, as a compiler's words, is no secret.
    reason = common_reason(result.assessment) or ""
    shown = [v for v in result.assessment.verdicts if v.scenario not in hidden]
    anonymous = [
        _anonymous(verdict, hidden.index(verdict.scenario) + 1, reason)
        for verdict in result.assessment.verdicts
        if verdict.scenario in hidden
    ]
    assessment: Assessment = replace(result.assessment, verdicts=(*shown, *anonymous))
    return replace(result, assessment=assessment)


def _anonymous(verdict: Verdict, number: int, reason: str) -> Verdict:
    return Verdict(
        f"hidden_{number}",
        f"Hidden scenario {number}",
        verdict.status,
        verdict.points,
        verdict.max_points,
        reason,
        "",
        extra=verdict.extra,
    )
