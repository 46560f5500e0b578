"""`autograder grade`: a class into a gradebook and reports."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from autograder.command.common_mode import common_mode, refuse_strangers_there
from autograder.command.telling import say_mode
from autograder.errors import CommandError
from autograder.grading.cluster import Cluster, cluster
from autograder.grading.grade import grade, output_folder
from autograder.grading.gradebook import Gradebook
from autograder.grading.lateness import charge, load_policy
from autograder.grading.records import Run
from autograder.grading.strangers import refuse_strangers
from autograder.labs.lab import load_lab
from autograder.reports.files import write_whole
from autograder.reports.progress import ClassProgress
from autograder.reports.screen import console, say, show_class
from autograder.reports.write import write_reports
from autograder.stage import isolation
from autograder.stage.errors import StageError
from autograder.stage.isolation import ModeChoice
from autograder.submission.submissions import archives_in, doubts, find_submissions
from autograder.trial import assess


@dataclass(frozen=True)
class ClassOrder:
    """What `autograder grade` was asked for."""

    lab: str
    submissions: Path
    out: Path
    jobs: int | None = None
    resume: bool = False
    only: str | None = None
    mode: str | None = None
    cluster: str | None = None
    assignment: str | None = None
    trusting: bool = False
    seed: int = 0

    @property
    def again(self) -> str:
        """The command that goes on where this one was stopped."""
        words = ["autograder", "grade", self.lab, str(self.submissions), "--out", str(self.out)]
        words += ["--assignment", self.assignment] if self.assignment else []
        words += ["--jobs", str(self.jobs)] if self.jobs else []
        words += ["--mode", self.mode] if self.mode else []
        words += ["--seed", str(self.seed)] if self.seed else []
        words += ["--only", self.only] if self.only else []
        words += ["--cluster", self.cluster] if self.cluster else []
        words += ["--trusting"] if self.trusting else []
        return shlex.join([*words, "--resume"])


def grade_class(order: ClassOrder) -> int:
    """A class into a gradebook and reports. What was graded before Ctrl-C is kept."""
    lab = load_lab(order.lab)
    submissions = find_submissions(order.submissions, lab.name, lab.program, order.assignment)
    _refuse_inside(order.out, order.submissions)
    load_policy(lab)  # one that is wrong is told before anybody is graded
    if not order.trusting and not order.cluster:
        refuse_strangers("this machine", isolation.dangers(order.mode))
    screen = console()
    for name in archives_in(order.submissions):
        say(
            screen,
            f"{name} lies beside the students' folders: nobody unpacks it, nobody is judged by it.",
        )
    for sentence in doubts(submissions, order.assignment or lab.name):
        say(screen, sentence)
    with (
        output_folder(order.out) as out,
        Gradebook(out / "gradebook.sqlite") as gradebook,
        _cluster(order) as machines,
    ):
        choose = partial(common_mode, machines) if machines else isolation.choose
        choice = _choice(order, gradebook, choose)
        mode = say_mode(screen, choice, order.seed)
        if not order.trusting and machines:
            refuse_strangers_there(machines, mode)
        elif not order.trusting:  # it may be another mode, in which the class was begun
            refuse_strangers("this machine", isolation.dangers(mode))
        submissions = [replace(s, folder=s.folder and s.folder.resolve()) for s in submissions]
        try:
            with ClassProgress(screen) as progress:
                run = grade(
                    lab,
                    submissions,
                    gradebook,
                    assess=partial(assess.assess, seed=order.seed),
                    seed=order.seed,
                    jobs=order.jobs,
                    executor=machines.executor if machines else None,
                    mode=mode,
                    resume=order.resume,
                    only=order.only,
                    on_change=lambda sentence: say(screen, sentence),
                    on_start=progress.start,
                    on_result=progress.result,
                )
        except KeyboardInterrupt:
            say(
                screen,
                f"Stopped. {progress.done} more are graded, and all verdicts are kept. To go on:",
            )
            say(screen, f"  {order.again}")
            return 130
        charge(lab, submissions, gradebook, run)
        index = write_reports(gradebook, run, out)
        _write_errors(gradebook, run, out / "errors.txt")
        results = gradebook.results(run)
        if order.only is not None:
            results = (r for r in results if r.student == order.only)
        show_class(screen, results, 1 if order.only else len(run.students), index)
    return 0


@contextmanager
def _cluster(order: ClassOrder) -> Iterator[Cluster | None]:
    """If one was asked for."""
    if order.cluster is None:
        yield None
        return
    with cluster(order.cluster, order.submissions) as found:
        yield found


def _choice(
    order: ClassOrder, gradebook: Gradebook, choose: Callable[[str | None], ModeChoice]
) -> ModeChoice:
    """Who goes on does so as the class was begun, if that can be had: a class is judged in one mode."""
    usual = choose(order.mode)
    begun = gradebook.mode() if order.resume or order.only else None
    if order.mode is not None or begun in (None, usual.mode):
        return usual
    with suppress(StageError, CommandError):
        if (choice := choose(begun)).mode == begun:
            why = f"in which this class was begun; --mode {usual.mode}, the default, judges all of it anew"
            return replace(choice, why=why)
    return replace(
        usual, why=f"{usual.why}; mode {begun}, in which this class was begun, is refused"
    )


def _refuse_inside(out: Path, submissions: Path) -> None:
    if out.resolve() == submissions.resolve() or submissions.resolve() in out.resolve().parents:
        raise CommandError(
            f"--out {out} lies among the submissions: it would be graded as a student.\n"
            "  Name a folder outside of them."
        )


def _write_errors(gradebook: Gradebook, run: Run, path: Path) -> None:
    """The grader's own tracebacks, for whoever mends it; no file if there are none."""
    breakdowns = [f"{r.student}\n{r.breakdown}\n" for r in gradebook.results(run) if r.breakdown]
    if breakdowns:
        write_whole(path, "\n".join(breakdowns))
    else:
        path.unlink(missing_ok=True)
