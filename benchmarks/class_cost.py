"""How fast a class is graded, in each mode, how that grows with the worker processes, and what the grader itself needs.

The classes are the demo class (C and Python solutions, starters and mutants, over and over), and some in which all have
handed in a program of one kind: correct, in C or in Python; one that looks around ten times a second; one that sleeps
before it looks. They are held against the correct ones in C. No two submissions are the same, as those are judged once;
a class in which all are shows what that saves. `STUDENTS` is the size of the demo class, by default 82, and a quarter
of it that of the others; `STUDENTS=1000` is the size that counts, and takes many minutes.
"""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from judge_cost import modes

from autograder.grading.grade import grade, processors
from autograder.grading.gradebook import Gradebook
from autograder.labs.demo_class import make_class
from autograder.labs.lab import Lab, load_lab
from autograder.submission.submissions import Submission, find_submissions
from autograder.trial.assess import assess

STUDENTS = int(os.environ.get("STUDENTS", "82"))
WAITING = "        int number = sigwaitinfo(every_signal, NULL);\n"
SLEEPING = f"        usleep(20000);\n{WAITING}"


class Cost(NamedTuple):
    """`speed`: scenarios a second. `processor`: seconds of processor time a scenario, of all that it takes."""

    speed: float
    processor: float

    def __str__(self) -> str:
        return (
            f"{self.speed:.0f} scenarios/s, {1000 * self.processor:.1f} ms of processor time each"
        )


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
            costs: dict[int, Cost] = {}
            for jobs in sorted({1, 2, processors()}):
                costs[jobs] = cost_of(lab, whole, mode, jobs)
                print(
                    f"{jobs} worker processes: {costs[jobs]}, "
                    f"{costs[jobs].speed / costs[1].speed:.2f} times as many as 1; "
                    f"the grader's own memory so far: {peak():.0f} MB"
                )
            usual = cost_of(lab, alike["in C"], mode)
            print(f"only correct ones in C: {usual}")
            for kind in ("in Python", "that poll", "that sleep"):
                found = cost_of(lab, alike[kind], mode)
                print(f"only ones {kind}: {found}, {found.processor / usual.processor:.2f} times")
        same = class_of(lab, scratch / "same", demo[:1], max(2, STUDENTS // 4), differ=False)
        print(f"all the same, file by file: {cost_of(lab, same, mode)}")


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


def cost_of(lab: Lab, submissions: list[Submission], mode: str, jobs: int | None = None) -> Cost:
    with tempfile.TemporaryDirectory() as folder, Gradebook(Path(folder) / "book") as gradebook:
        before, started = os.times(), time.monotonic()
        grade(lab, submissions, gradebook, assess=assess, jobs=jobs, mode=mode)
        wall = time.monotonic() - started
    scenarios = len(submissions) * len(lab.scenarios)
    return Cost(scenarios / wall, (sum(os.times()[:4]) - sum(before[:4])) / scenarios)


def peak() -> float:
    """MB at most so far, of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
