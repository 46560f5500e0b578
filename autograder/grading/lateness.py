"""What lateness costs: a plug-in function says it, the lab names the function and the time by which to hand in.

    [late]
    due = 2026-11-30T23:59:00+01:00
    policy = "late.py:a_tenth_a_day"        # a file in the lab's folder, or package.module:function

    def a_tenth_a_day(student_id, score, total_seconds_late):
        return score * 0.1 * math.ceil(total_seconds_late / 86400)      # points off

The function is called as nbgrader calls its plug-ins' late_submission_penalty. It is the instructor's own code and
runs in the grader, not in a sandbox.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from autograder.errors import CommandError
from autograder.grading.gradebook import Gradebook
from autograder.grading.records import Run
from autograder.labs.lab import Lab, Late
from autograder.safe_text import one_line
from autograder.submission.intake import BuildError, Entry, entries, opened
from autograder.submission.submissions import TIMESTAMP, Submission, state_of
from forklab.counted import counted

Policy = Callable[[str, float, float], float]  # student, score, seconds late -> points off


def load_policy(lab: Lab) -> Policy:
    """The lab's policy; one that takes nothing off if there is none. Raises CommandError if it cannot be loaded."""
    if lab.late is None:
        return lambda student, score, seconds: 0.0
    module, _, function = lab.late.policy.partition(":")
    where = f"{lab.folder / 'lab.toml'}, late.policy = {lab.late.policy!r}"
    try:
        if module.endswith(".py"):
            spec = importlib.util.spec_from_file_location("late_policy", lab.folder / module)
            assert spec is not None and spec.loader is not None
            loaded = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(loaded)
        else:
            loaded = importlib.import_module(module)
        found = getattr(loaded, function)
    except Exception as error:  # it is a stranger's module: it may raise anything
        raise CommandError(
            f"{where}: {type(error).__name__}: {one_line(str(error))}.\n"
            "  It should be FILE.py:FUNCTION, a file in the lab's folder, or MODULE:FUNCTION."
        ) from error
    if not callable(found):
        raise CommandError(f"{where}: {function} is no function.")
    policy: Policy = found
    return policy


def charge(lab: Lab, submissions: Iterable[Submission], gradebook: Gradebook, run: Run) -> None:
    """Writes into the gradebook what everybody's lateness costs now: a policy may change without grading anew.

    Whoever has handed in anew since is left alone until that is graded. Raises CommandError if the policy fails.
    """
    if lab.late is None:
        return
    policy = load_policy(lab)
    graded, scores = gradebook.graded(run), gradebook.scores(run)
    for submission in submissions:
        student = submission.student
        if student in graded and graded[student].files == state_of(submission):
            seconds = seconds_late(lab.late, submission)
            penalty = penalty_for(policy, lab, student, scores[student], seconds)
            gradebook.set_penalty(run, student, seconds, penalty)


def seconds_late(late: Late, submission: Submission) -> float:
    """How long after its due time a submission was handed in; 0 if it was in time, or if there is nothing."""
    moment = handed_in(submission)
    return 0.0 if moment is None else seconds_after_due(late, [submission.student], moment)


def seconds_after_due(late: Late, students: Iterable[str], moment: datetime) -> float:
    """The same, of a submission by several students: who of them has longest counts."""
    due = max(late.extensions.get(student, late.due) for student in students)
    return max(0.0, (moment - due).total_seconds())


def handed_in(submission: Submission) -> datetime | None:
    """What nbgrader has written into its folder, timestamp.txt; else the time of the newest file.

    In a folder that nbgrader did not lay out, a timestamp.txt is a file of the student's own.
    """
    if submission.folder is None:
        return None
    moment = _moment_in(submission.folder / TIMESTAMP) if submission.stamped else None
    return moment or _newest(submission.folder)


def _newest(folder: Path) -> datetime | None:
    times: list[float] = []
    with suppress(BuildError, OSError):  # what was found until then has to do
        times.extend((folder / entry.name).lstat().st_mtime for entry in entries(folder))
    return _moment_of(max(times)) if times else None


def _moment_of(time: float) -> datetime:
    """Some file systems keep years that no calendar has: then the last, or the first, moment that there is."""
    try:
        return datetime.fromtimestamp(time, UTC)
    except (ValueError, OverflowError, OSError):
        return (datetime.max if time > 0 else datetime.min).replace(tzinfo=UTC)


def _moment_in(file: Path) -> datetime | None:
    """ "2026-11-30 22:10:05.123456 UTC", with a zone by its name or offset, as nbgrader writes it."""
    try:
        with opened(Entry(file.name, file)) as stamp:
            words = stamp.read(100).decode().split()
        zone = ZoneInfo(words[2]) if len(words) > 2 and words[2][:1].isalpha() else None
        moment = datetime.fromisoformat(" ".join(words[:2] if zone else words))
        return moment.replace(tzinfo=zone) if zone else moment.astimezone()
    except (BuildError, OSError, ValueError, OverflowError, LookupError):
        return None


def penalty_for(policy: Policy, lab: Lab, student: str, score: float, seconds: float) -> float:
    """How many points so much lateness costs, from none to all. Raises CommandError if the policy fails."""
    if not seconds:
        return 0.0
    try:
        points = float(policy(student, score, seconds))
    except Exception as error:
        raise CommandError(
            f"The late policy of lab {lab.name} failed on {one_line(student)}, who has {counted(score, 'point')} and is"
            f" {seconds:.0f} s late: {type(error).__name__}: {one_line(str(error))}.\n"
            "  All marks are kept. Mend it, then: autograder grade ... --resume"
        ) from error
    return min(max(points, 0.0), score)
