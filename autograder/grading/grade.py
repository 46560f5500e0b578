"""A class is graded: any executor assesses the submissions, verdicts enter the gradebook as they come.

Only this process writes to the gradebook. What one student's submission does, or a fault of the
grader met on the way, never costs another student anything.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

from autograder.errors import CommandError
from autograder.grading.foreman import Assess, Foreman, say_nothing
from autograder.grading.gradebook import Gradebook
from autograder.grading.records import Asked, Result, Run
from autograder.grading.resuming import left_to_do, told, told_of_others
from autograder.grading.terms import LabTerms
from autograder.grading.workers import Workers, processors, tell
from autograder.labs.generate import with_generated
from autograder.labs.lab import Lab
from autograder.submission.submissions import Submission, choose

_WAITING = 256  # submissions that are given to an executor of unknown size at a time


def grade(
    lab: Lab,
    submissions: Sequence[Submission],
    gradebook: Gradebook,
    *,
    assess: Assess,
    jobs: int | None = None,
    executor: Executor | None = None,
    mode: str | None = None,
    seed: int = 0,
    resume: bool = False,
    only: str | None = None,
    on_change: Callable[[str], None] = lambda sentence: None,
    on_start: Callable[[int], None] = lambda to_do: None,
    on_result: Callable[[Result], None] = lambda result: None,
) -> Run:
    """Grades a class into `gradebook` and answers the run that the reports are to be about.

    `resume` goes on with the latest run, in the middle of a student where need be. It leaves out who is done, and plays
    again only what has changed since, which `on_change` is told; `only` grades one student again in the latest run.
    What several students have handed in, file by file, is judged once.
    `seed` is what `assess` goes by: verdicts with another one are others.
    `on_start` is told how many students there are to grade, `on_result` each result after it is safe. `jobs` worker
    processes assess at the same time (None: one a processor), unless an `executor` is given; then a verdict is safe
    once its submission is through.

    KeyboardInterrupt (Ctrl-C) passes through at once, and the workers are killed. Verdicts that have come are kept.
    """
    run = _run_for(lab, submissions, gradebook, go_on=resume or only is not None)
    wanted = list(submissions) if only is None else [choose(submissions, only)]
    if resume or only is not None:
        terms = LabTerms(lab, mode, seed)
        now = [(submission, terms.of(submission)) for submission in submissions]
        left = left_to_do(now, gradebook.judged(run), gradebook.graded(run))
        if resume:
            left = [one for one in left if one.submission in wanted]
            wanted = [one.submission for one in left]
            sentences = told(left, run.scenarios)
        else:
            sentences = told_of_others([one for one in left if one.submission not in wanted])
        for sentence in sentences:
            on_change(sentence)
    on_start(len(wanted))
    foreman = Foreman(
        lab, run, gradebook, assess, mode, on_result, seed=seed, keep=resume, apart=only is not None
    )
    if executor is not None:
        foreman.work_off(wanted, executor, say_nothing, _WAITING)
        return run
    jobs = jobs or processors()
    workers = Workers(jobs, foreman.hear)
    try:
        foreman.work_off(wanted, workers, tell, 2 * jobs)
    except BaseException:
        workers.shutdown(wait=False)
        raise
    workers.shutdown()
    return run


@contextmanager
def output_folder(out: Path) -> Iterator[Path]:
    """`out`, made if need be, and ours alone until the end. Raises CommandError if that can't be.

    The lock is on the folder itself (flock(2)): it leaves no file behind and ends with this
    process, however that ends.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(out, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise CommandError(
            f"--out {out}: the reports cannot be written there ({error.strerror}).\n"
            "  Name a folder that you may write to."
        ) from error
    try:
        if not os.access(out, os.W_OK | os.X_OK):
            raise CommandError(
                f"--out {out}: you may not write into this folder.\n  Name another one."
            )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CommandError(
                f"--out {out}: another grader is at work there.\n"
                "  Wait for it, or name another folder."
            ) from error
        yield out
    finally:
        os.close(descriptor)


def _run_for(lab: Lab, submissions: Sequence[Submission], gradebook: Gradebook, go_on: bool) -> Run:
    whole = with_generated(lab, 0)  # names and points are the same for all students
    asked = [Asked.of(scenario) for scenario in whole.scenarios]
    students = [submission.student for submission in submissions]
    latest = gradebook.latest_run()
    if latest is not None and latest.lab != lab.name:
        raise CommandError(
            f"{gradebook.path} is the gradebook of lab {latest.lab}, not of {lab.name}.\n"
            "  Give each lab an --out folder of its own."
        )
    if go_on and latest is not None:
        return gradebook.go_on(latest, asked, students)
    return gradebook.begin(lab.name, lab.title, asked, students)
