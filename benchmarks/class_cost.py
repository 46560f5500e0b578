"""How fast a class is graded, in each mode, how that grows with the worker processes, and what the grader itself needs.

The classes are the demo class (C and Python solutions, starters and mutants, over and over), and some in which all have
handed in a program of one kind: correct, in C or in Python; one that looks around ten times a second; one that sleeps
before it looks. No two submissions are the same, as those are judged once; a class in which all are shows what that
saves. `STUDENTS` is the size of the demo class, by default 82, and a quarter of it that of the others; `STUDENTS=1000`
is the size that counts, and takes many minutes.
"""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from autograder.grading.grade import grade, processors
from autograder.grading.gradebook import Gradebook
from autograder.labs.demo_class import make_class
from autograder.labs.lab import Lab, load_lab
from autograder.language.roles import VIRTUAL
from autograder.stage.errors import StageError
from autograder.stage.isolation import choose, probe
from autograder.submission.submissions import Submission, find_submissions
from autograder.trial.assess import assess

STUDENTS = int(os.environ.get("STUDENTS", "82"))
WAITING = "        int number = sigwaitinfo(every_signal, NULL);\n"
SLEEPING = f"        usleep(20000);\n{WAITING}"


def main() -> None:
    lab = load_lab("init")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        make_class(lab, scratch / "demo")
        demo = [folder / lab.name for folder in sorted((scratch / "demo").iterdir())]
        whole = class_of(lab, scratch / "class", demo, STUDENTS)
        alike = {
            kind: class_of(lab, scratch / kind, [original], max(2, STUDENTS // 4))
            for kind, original in (
                ("in C", scratch / "demo" / "solution_c" / lab.name),
                ("in Python", scratch / "demo" / "solution_python" / lab.name),
                ("that poll", scratch / "demo" / "mutant_polls" / lab.name),
                ("that sleep", sleeper(lab, scratch / "sleeper")),
            )
        }
        for mode in modes():
            print(f"mode {mode}, {STUDENTS} students, {len(lab.scenarios)} scenarios each")
            speeds: dict[int, float] = {}
            for jobs in sorted({1, 2, processors()}):
                speeds[jobs] = speed(lab, whole, mode, jobs)
                print(
                    f"{jobs} worker processes: {speeds[jobs]:.0f} scenarios/s, "
                    f"{speeds[jobs] / speeds[1]:.2f} times as many as 1; "
                    f"the grader's own memory so far: {peak():.0f} MB"
                )
            usual = speed(lab, alike["in C"], mode)
            print(f"only correct ones in C: {usual:.0f} scenarios/s on {processors()} processors")
            for kind in ("in Python", "that poll", "that sleep"):
                found = speed(lab, alike[kind], mode)
                print(f"only ones {kind}: {found:.0f}, {usual / found:.2f} times the time")
        same = class_of(lab, scratch / "same", demo[:1], max(2, STUDENTS // 4), differ=False)
        found = speed(lab, same, mode)
        print(f"all the same, file by file: {found:.0f}, {usual / found:.2f} times the time")


def modes() -> list[str]:
    """The best one in real time, and virtual time where that is allowed."""
    try:
        return [probe().mode, choose(VIRTUAL).mode]
    except StageError:
        return [probe().mode]


def class_of(
    lab: Lab, root: Path, originals: Sequence[Path], students: int, *, differ: bool = True
) -> list[Submission]:
    """These, over and over."""
    for number in range(students):
        folder = root / f"student_{number:04}" / lab.name
        shutil.copytree(originals[number % len(originals)], folder)
        if differ:
            (folder / "README").write_text(f"by student {number}\n")
    return find_submissions(root, lab.name)


def sleeper(lab: Lab, folder: Path) -> Path:
    """The solution in C, which sleeps before it waits for the next signal."""
    shutil.copytree(lab.folder / "solution" / "c", folder)
    source = folder / "init.c"
    text = source.read_text()
    assert text.count(WAITING) == 1
    source.write_text(text.replace(WAITING, SLEEPING))
    return folder


def speed(lab: Lab, submissions: list[Submission], mode: str, jobs: int | None = None) -> float:
    """Scenarios a second."""
    with tempfile.TemporaryDirectory() as folder, Gradebook(Path(folder) / "book") as gradebook:
        started = time.monotonic()
        grade(lab, submissions, gradebook, assess=assess, jobs=jobs, mode=mode)
        return len(submissions) * len(lab.scenarios) / (time.monotonic() - started)


def peak() -> float:
    """MB at most so far, of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
