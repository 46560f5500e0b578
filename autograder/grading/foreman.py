"""Who hands the submissions of a class to an executor and takes in what comes back: verdicts, results, lost workers."""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Callable, Collection, Hashable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Protocol

from autograder.grading.gradebook import Gradebook
from autograder.grading.records import Result, Run, Terms
from autograder.grading.terms import LabTerms
from autograder.labs.generate import seed_of, with_generated
from autograder.labs.lab import Lab
from autograder.safe_text import safe_text
from autograder.submission.submissions import Submission
from autograder.trial.verdict import Assessment, Hindrance, Status, Verdict

_TRIES = 2  # when a worker is lost, the student whom it had is tried again

Tell = Callable[[int, Verdict], None]  # the number of the attempt, and one more verdict of it


class Assess(Protocol):
    """Judges one submission, as autograder.trial.assess.assess does; raises only for the grader's faults."""

    def __call__(
        self,
        lab: Lab,
        submission: Path,
        *,
        mode: str | None = None,
        on_verdict: Callable[[Verdict], None],
    ) -> Assessment: ...


@dataclass(frozen=True)
class Task:
    """One submission and what is still to be played against it; it can be sent anywhere."""

    attempt: int
    lab: Lab
    submission: Submission
    mode: str | None


def assess_one(task: Task, assess: Assess, tell: Tell) -> Result:
    """One student's result. Never raises: a fault of the grader is an `error` for each scenario without a verdict."""
    started = time.monotonic()
    breakdown = ""
    verdicts: list[Verdict] = []

    def on_verdict(verdict: Verdict) -> None:
        verdicts.append(verdict)
        tell(task.attempt, verdict)

    try:
        if task.submission.folder is None or task.submission.obstacle:
            assessment = _nothing_to_judge(task.lab, task.submission)
        elif not task.submission.folder.exists():
            raise FileNotFoundError(f"{task.submission.folder} cannot be seen from here")
        else:
            assessment = assess(
                task.lab, task.submission.folder, mode=task.mode, on_verdict=on_verdict
            )
    except Exception as error:
        broken = _broken_down(_without(task.lab, {v.scenario for v in verdicts}), error)
        assessment = replace(broken, verdicts=(*verdicts, *broken.verdicts))
        breakdown = safe_text(traceback.format_exc())
    return Result(task.submission.student, assessment, time.monotonic() - started, breakdown)


def say_nothing(attempt: int, verdict: Verdict) -> None:
    """Executors of others carry no news: the result brings all verdicts."""


class Foreman:
    """Keeps an executor busy and the gradebook up to date. All of it but `hear` happens in one thread.

    With `keep`, verdicts of the attempt before stay where submission and play are still the same. What several have
    handed in, file by file, is judged once, unless each is to be judged by itself: `apart`.
    """

    def __init__(
        self,
        lab: Lab,
        run: Run,
        gradebook: Gradebook,
        assess: Assess,
        mode: str | None,
        on_result: Callable[[Result], None],
        *,
        seed: int = 0,
        keep: bool = False,
        apart: bool = False,
    ) -> None:
        self._lab = lab
        self._run = run
        self._gradebook = gradebook
        self._assess = assess
        self._mode = mode
        self._terms = LabTerms(lab, mode, seed)
        self._on_result = on_result
        self._keep = keep
        self._apart = apart
        self._alike: dict[Hashable, list[_Errand]] = {}  # who waits for one that is being judged
        self._positions = {asked.name: place for place, asked in enumerate(run.scenarios)}
        self._news: SimpleQueue[tuple[int, Verdict] | Future[Result]] = SimpleQueue()
        self._pending: dict[Future[Result], _Errand] = {}
        self._told: dict[int, set[str]] = {}

    def hear(self, attempt: int, verdict: Verdict) -> None:
        """A verdict has come, in whatever thread."""
        self._news.put((attempt, verdict))

    def work_off(
        self, wanted: Sequence[Submission], executor: Executor, tell: Tell, at_a_time: int
    ) -> None:
        """Grades them all. No more than `at_a_time` are in the executor's hands: a class may be large."""
        waiting = deque(_Errand(submission) for submission in wanted)
        try:
            while waiting or self._pending:
                if waiting and len(self._pending) < at_a_time:
                    self._send(waiting.popleft(), executor, tell)
                    continue
                news = self._news.get()
                if isinstance(news, Future):
                    errand = self._pending.pop(news)
                    if not self._take_in(errand, news):
                        waiting.appendleft(errand)
                    else:
                        waiting.extendleft(reversed(self._alike.pop(errand.ground, [])))
                else:
                    attempt, verdict = news
                    self._gradebook.add(attempt, self._positions[verdict.scenario], verdict)
                    self._told[attempt].add(verdict.scenario)
        finally:
            for future in self._pending:
                future.cancel()

    def _send(self, errand: _Errand, executor: Executor, tell: Tell) -> None:
        if errand.attempt is None:
            student = errand.submission.student
            terms = self._terms.of(errand.submission)
            if not self._apart and self._goes_with_another(errand, terms):
                return
            errand.attempt, done = self._gradebook.open_attempt(
                self._run, student, terms, keep=self._keep
            )
            self._told[errand.attempt] = set(done)
        lab = _without(self._whole(errand), self._told[errand.attempt])
        if not lab.scenarios and (whole := self._gradebook.close_attempt(errand.attempt)):
            self._on_result(whole)
            return
        if errand.ground is not None:
            self._alike.setdefault(errand.ground, [])
        task = Task(errand.attempt, lab, errand.submission, self._mode)
        errand.tries += 1
        future: Future[Result] = executor.submit(assess_one, task, self._assess, tell)
        self._pending[future] = errand
        future.add_done_callback(self._news.put)

    def _goes_with_another(self, errand: _Errand, terms: Terms) -> bool:
        """Somebody has handed in the same: it has those verdicts too, or will when they are there."""
        if errand.submission.folder is None or errand.submission.obstacle:
            return False
        errand.ground = terms.ground
        if errand.ground in self._alike:
            self._alike[errand.ground].append(errand)
            return True
        whole = self._gradebook.take_over(self._run, errand.submission.student, terms)
        if whole is not None:
            self._on_result(whole)
        return whole is not None

    def _whole(self, errand: _Errand) -> Lab:
        """The lab with the scenarios that were generated for this student."""
        return with_generated(self._lab, seed_of(self._lab.name, errand.submission.student))

    def _take_in(self, errand: _Errand, future: Future[Result]) -> bool:
        """Finishes an attempt; False if it has to be tried again."""
        attempt = errand.attempt
        assert attempt is not None
        told = self._told[attempt]
        try:
            result = future.result()
        except Exception as error:  # the executor lost the worker that had this student
            if errand.tries < _TRIES:
                return False
            lab = _without(self._whole(errand), told)
            breakdown = safe_text("".join(traceback.format_exception(error)))
            result = Result(
                errand.submission.student, _broken_down(lab, error), breakdown=breakdown
            )
        new = tuple(v for v in result.assessment.verdicts if v.scenario not in told)
        rest = replace(result, assessment=replace(result.assessment, verdicts=new))
        positions = [self._positions[verdict.scenario] for verdict in new]
        whole = self._gradebook.finish(attempt, rest, positions)
        del self._told[attempt]
        self._on_result(whole)
        return True


@dataclass
class _Errand:
    """A submission on its way: through which attempt in the gradebook, and how often it was tried.

    `ground`: others that stand on the same are judged with it; None if it is judged by itself.
    """

    submission: Submission
    ground: Hashable = None
    attempt: int | None = None
    tries: int = 0


def _without(lab: Lab, told: Collection[str]) -> Lab:
    """The lab less the scenarios of these names."""
    return replace(lab, scenarios=tuple(s for s in lab.scenarios if s.name not in told))


def _nothing_to_judge(lab: Lab, submission: Submission) -> Assessment:
    why = submission.obstacle or "Nothing was handed in for this lab."
    hindrance = Hindrance.NOTHING if submission.folder is None else Hindrance.NOT_BUILT
    return replace(_same_for_all(lab, Status.FAILED, why), hindrance=hindrance)


def _broken_down(lab: Lab, error: BaseException) -> Assessment:
    reason = safe_text(f"{type(error).__name__}: {error}")
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
        tuple(Verdict.of(scenario, status, message) for scenario in lab.scenarios),
    )
