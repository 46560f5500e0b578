"""What each command of the command line does, from checked words to an exit status."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from autograder.errors import CommandError, did_you_mean
from autograder.grading.grade import grade, output_folder
from autograder.grading.gradebook import Gradebook
from autograder.grading.lateness import charge, load_policy, penalty_for, seconds_after_due
from autograder.grading.records import Run
from autograder.grading.strangers import refuse_strangers
from autograder.labs import demo_class
from autograder.labs.generate import seed_of, with_generated
from autograder.labs.lab import Lab, load_lab
from autograder.labs.scenario import Scenario, load_scenario
from autograder.reports import write_reports
from autograder.reports.files import write_whole
from autograder.reports.progress import ClassProgress
from autograder.reports.screen import console, say, show_assessment, show_class, show_play
from autograder.reports.upload import ResultsFile
from autograder.safe_text import one_line
from autograder.stage import isolation
from autograder.stage.walls import walls
from autograder.submission.clutter import is_archive
from autograder.submission.metadata import read_metadata
from autograder.submission.submissions import archives_in, find_submissions
from autograder.trial import assess
from autograder.trial.verdict import Assessment, Status
from forklab.draw.trees.picture import tree_svg


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

    @property
    def again(self) -> str:
        """The command that goes on where this one was stopped."""
        words = ["autograder", "grade", self.lab, str(self.submissions), "--out", str(self.out)]
        words += ["--assignment", self.assignment] if self.assignment else []
        words += ["--jobs", str(self.jobs)] if self.jobs else []
        words += ["--mode", self.mode] if self.mode else []
        words += ["--only", self.only] if self.only else []
        words += ["--cluster", self.cluster] if self.cluster else []
        words += ["--trusting"] if self.trusting else []
        return shlex.join([*words, "--resume"])


def check(
    lab_name: str,
    path: Path,
    wanted: Sequence[str],
    json_file: str | None,
    mode: str | None,
    gradescope_file: Path | None = None,
    metadata_file: Path | None = None,
    everything: bool = False,
) -> int:
    """One submission, explained to its author."""
    lab = load_lab(lab_name)
    if not path.is_dir():
        what = "is a file: give the folder that it is in" if path.exists() else "does not exist"
        if path.exists() and is_archive(path.name):
            what = "is an archive: unpack it, and give the folder"
        raise CommandError(
            f"{path} {what}.\n"
            f"  A submission is a folder with {lab.program}.c, {lab.program}.py, a Makefile or "
            f"an executable {lab.program}."
        )
    screen = console(to_stderr=json_file == "-")
    _say_mode(screen, mode)
    file = None
    if gradescope_file is not None:
        lab, file = _for_gradescope(lab, gradescope_file, metadata_file)
    scenarios = [_scenario(lab, name) for name in wanted] if wanted else None
    if file is None:
        assessment = assess.assess(lab, path, mode=mode, scenarios=scenarios)
    else:
        assessment = assess.assess(lab, path, mode=mode, scenarios=scenarios, on_verdict=file.add)
        file.write(assessment)
    why = {s.name: s.why for s in scenarios or lab.scenarios}
    show_assessment(screen, assessment, why, everything=everything)
    if json_file is not None:
        _write(json_file, json.dumps(assessment.to_json(), indent=1) + "\n")
    return _exit_status(assessment)


def _for_gradescope(lab: Lab, path: Path, metadata: Path | None) -> tuple[Lab, ResultsFile]:
    """The lab with what is asked of this student alone, and the file with the results, which is there from now on."""
    file = ResultsFile(path, lab)
    if lab.late is None and lab.generated is None:
        return lab, file
    if metadata is None:
        raise CommandError(
            f"Lab {lab.name} asks who handed in, and when: Gradescope tells.\n"
            "  Give its file: --metadata /autograder/submission_metadata.json"
        )
    handed_in, policy = read_metadata(metadata), load_policy(lab)
    student = handed_in.students[0]
    late = 0.0
    if lab.late is not None:
        late = seconds_after_due(lab.late, handed_in.students, handed_in.moment)
    whole = with_generated(lab, seed_of(lab.name, student))
    return whole, ResultsFile(
        path, whole, late, lambda score: penalty_for(policy, lab, student, score, late)
    )


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
    with output_folder(order.out) as out, Gradebook(out / "gradebook.sqlite") as gradebook:
        mode = order.mode if order.cluster else _say_mode(screen, order.mode)
        submissions = [replace(s, folder=s.folder and s.folder.resolve()) for s in submissions]
        try:
            with _executor(order) as executor, ClassProgress(screen) as progress:
                run = grade(
                    lab,
                    submissions,
                    gradebook,
                    assess=assess.assess,
                    jobs=order.jobs,
                    executor=executor,
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


def play(scenario_name: str, init: Sequence[str], svg_file: str | None, mode: str | None) -> int:
    """One scenario against any init."""
    scenario = _any_scenario(scenario_name)
    if not init:
        raise CommandError(
            "Which init? Name it after --, for example: autograder play "
            f"{one_line(scenario_name)} -- tini -g --"
        )
    screen = console(to_stderr=svg_file == "-")
    _say_mode(screen, mode)
    [verdict] = assess.judge_installed(init, [scenario], mode=mode)
    show_play(screen, verdict)
    if svg_file is not None:
        _write(svg_file, tree_svg(verdict.observed.tree(), verdict.remarks, verdict.title))
    return {Status.PASSED: 0, Status.FAILED: 1}.get(verdict.status, 2)


def doctor(mode: str | None) -> int:
    """What submissions are kept from here, a line each, with the mend of what is missing."""
    screen = console()
    choice = isolation.probe()
    why = choice.why if mode in (None, choice.mode) else "as you asked"
    found = walls(mode or choice.mode)
    lines = [Text(f"mode {mode or choice.mode}: {why}")]
    widest = max(len(wall.about) for wall in found)
    for wall in found:
        mark, style = (
            ("✓", "green") if wall.stands else ("✗", "red") if wall.guards else ("·", "dim")
        )
        mend = "" if wall.stands else f". Mend: {wall.mend}"
        lines.append(Text(f"{mark} {wall.about:<{widest}}  {wall.words}{mend}", style))
    dangerous = bool(isolation.dangers(mode))
    lines.append(
        Text("Grade only whom you trust here: autograder grade ... --trusting", "red")
        if dangerous
        else Text("A class of strangers can be graded here.", "green")
    )
    for line in lines:
        say(screen, line)
    return int(dangerous)


def demo(lab_name: str, out: Path) -> int:
    """A class made of the lab's own solutions, starters and mutants."""
    lab = load_lab(lab_name)
    try:
        demo_class.make_class(lab, out)
    except OSError as error:
        raise CommandError(f"--out {out}: cannot be written ({error.strerror}).") from error
    say(
        console(),
        f"The demo class is in {out}. Grade it: autograder grade {lab_name} {out} --out DIR",
    )
    return 0


@contextmanager
def _executor(order: ClassOrder) -> Iterator[Executor | None]:
    """The cluster, if one was asked for."""
    if order.cluster is None:
        yield None
        return
    from autograder.grading.cluster import cluster

    dangers = None if order.trusting else partial(isolation.dangers, order.mode)
    with cluster(order.cluster, order.submissions, dangers) as executor:
        yield executor


def _exit_status(assessment: Assessment) -> int:
    """Nothing judged at all is no success either: this machine lacks what it takes."""
    return {Status.PASSED: 0, Status.FAILED: 1}.get(assessment.status, 2)


def _say_mode(screen: Console, asked: str | None) -> str:
    """Which mode it is, why, and what cannot be enforced in it."""
    choice = isolation.probe()
    if asked is not None:
        choice = isolation.ModeChoice(asked, "as you asked", isolation.lacks(asked))
    say(screen, Text(f"mode {choice.mode}: {choice.why}", "dim"))
    for lack in choice.lacks:
        say(screen, Text(f"not enforced: {lack}", "dim"))
    return choice.mode


def _scenario(lab: Lab, name: str) -> Scenario:
    for scenario in lab.scenarios:
        if scenario.name == name:
            return scenario
    if Path(name).is_file():
        return load_scenario(Path(name))
    hint = did_you_mean(name, (scenario.name for scenario in lab.scenarios))
    raise CommandError(
        f"--scenario {one_line(name)}: lab {lab.name} has no such scenario.\n  {hint}"
    )


def _any_scenario(name: str) -> Scenario:
    if Path(name).is_file():
        return load_scenario(Path(name))
    lab, slash, scenario = name.partition("/")
    if slash and not name.endswith(".toml"):
        return _scenario(load_lab(lab), scenario)
    raise CommandError(
        f"{one_line(name)}: there is no such scenario file.\n"
        "  Name a file, or a scenario of a lab: init/03_orphan"
    )


def _refuse_inside(out: Path, submissions: Path) -> None:
    if out.resolve() == submissions.resolve() or submissions.resolve() in out.resolve().parents:
        raise CommandError(
            f"--out {out} lies among the submissions: it would be graded as a student.\n"
            "  Name a folder outside of them."
        )


def _write(file: str, text: str) -> None:
    if file == "-":
        sys.stdout.write(text)
        return
    try:
        write_whole(Path(file), text)
    except OSError as error:
        raise CommandError(f"{file} cannot be written ({error.strerror}).") from error


def _write_errors(gradebook: Gradebook, run: Run, path: Path) -> None:
    """The grader's own tracebacks, for whoever mends it; no file if there are none."""
    breakdowns = [f"{r.student}\n{r.breakdown}\n" for r in gradebook.results(run) if r.breakdown]
    if breakdowns:
        write_whole(path, "\n".join(breakdowns))
    else:
        path.unlink(missing_ok=True)
