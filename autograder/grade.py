"""A class is graded: any executor assesses the submissions, results enter the gradebook as they come.

Only this process writes to the gradebook. What one student's submission does, or a fault of the
grader met on the way, never costs another student anything.
"""

from __future__ import annotations

import fcntl
import os
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from autograder.errors import CommandError
from autograder.gradebook import Asked, Gradebook, Result, Run
from autograder.lab import Lab
from autograder.printable import printable
from autograder.submissions import Submission, choose
from autograder.verdict import Assessment, Status, Verdict


class Assess(Protocol):
    """Judges one submission, as autograder.judge.assess does; raises only for the grader's faults."""

    def __call__(self, lab: Lab, submission: Path, *, mode: str | None = None) -> Assessment: ...


def grade(
    lab: Lab,
    submissions: Sequence[Submission],
    gradebook: Gradebook,
    *,
    assess: Assess,
    jobs: int | None = None,
    executor: Executor | None = None,
    mode: str | None = None,
    resume: bool = False,
    only: str | None = None,
    on_start: Callable[[int], None] = lambda to_do: None,
    on_result: Callable[[Result], None] = lambda result: None,
) -> Run:
    """Grades a class into `gradebook` and answers the run that the reports are to be about.

    `resume` goes on with the latest run and leaves out who is done; `only` grades one student again
    in the latest run. `on_start` is told how many students there are to grade, `on_result` each
    result after it is safe. `jobs` threads assess at the same time (None: one a processor), unless
    an `executor` is given.

    KeyboardInterrupt (Ctrl-C) passes through at once. Those being judged then are given up, not recorded: a later
    `resume` grades them.
    """
    run = _run_for(lab, submissions, gradebook, go_on=resume or only is not None)
    wanted = list(submissions) if only is None else [choose(submissions, only)]
    if resume:
        done = gradebook.graded(run)
        wanted = [submission for submission in wanted if submission.student not in done]
    on_start(len(wanted))
    if executor is not None:
        _assess_all(lab, wanted, gradebook, run, assess, executor, mode, on_result)
        return run
    threads = ThreadPoolExecutor(jobs or processors(), thread_name_prefix="judge")
    try:
        _assess_all(lab, wanted, gradebook, run, assess, threads, mode, on_result)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
    return run


def assess_one(lab: Lab, submission: Submission, assess: Assess, mode: str | None) -> Result:
    """One student's result. Never raises: a fault of the grader is an `error` for each scenario."""
    started = time.monotonic()
    trouble = ""
    try:
        if submission.folder is None:
            assessment = _nothing_handed_in(lab, submission)
        else:
            assessment = assess(lab, submission.folder, mode=mode)
    except Exception as error:
        assessment = _broken_down(lab, error)
        trouble = printable(traceback.format_exc())
    return Result(submission.student, assessment, time.monotonic() - started, trouble)


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


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def _run_for(lab: Lab, submissions: Sequence[Submission], gradebook: Gradebook, go_on: bool) -> Run:
    asked = [Asked(s.name, s.title, s.points, s.why) for s in lab.scenarios]
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


def _assess_all(
    lab: Lab,
    submissions: Sequence[Submission],
    gradebook: Gradebook,
    run: Run,
    assess: Assess,
    executor: Executor,
    mode: str | None,
    on_result: Callable[[Result], None],
) -> None:
    futures: dict[Future[Result], Submission] = {
        executor.submit(assess_one, lab, submission, assess, mode): submission
        for submission in submissions
    }
    try:
        for future in as_completed(futures):
            try:
                result = future.result()
            except Exception as error:  # the executor lost the worker that had this student
                trouble = printable("".join(traceback.format_exception(error)))
                student = futures[future].student
                result = Result(student, _broken_down(lab, error), trouble=trouble)
            gradebook.record(run, result)
            on_result(result)
    finally:
        for future in futures:
            future.cancel()


def _nothing_handed_in(lab: Lab, submission: Submission) -> Assessment:
    return _same_for_all(
        lab,
        Status.FAILED,
        f"Nothing was handed in for this lab: {submission.student} has no folder {lab.name} and no "
        "files.",
    )


def _broken_down(lab: Lab, error: BaseException) -> Assessment:
    reason = printable(f"{type(error).__name__}: {error}")
    return _same_for_all(
        lab,
        Status.ERROR,
        "The grader itself broke down on this submission. That is not the student's doing and costs "
        f"no points: grade again, or tell the instructor.\n{reason}",
    )


def _same_for_all(lab: Lab, status: Status, message: str) -> Assessment:
    return Assessment(
        lab.name,
        "",  # nothing was started, so no mode was chosen
        tuple(
            Verdict(s.name, s.title, status, 0, s.points, message, s.script) for s in lab.scenarios
        ),
    )
