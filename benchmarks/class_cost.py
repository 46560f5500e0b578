"""How fast a class is graded, how that grows with the worker processes, and what the grader itself needs.

The class is the demo class, C and Python solutions, starters and mutants, over and over: STUDENTS of it, by default 82;
`STUDENTS=1000` is the size that counts, and takes many minutes.
"""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

from autograder.grading.grade import grade, processors
from autograder.grading.gradebook import Gradebook
from autograder.labs.demo_class import make_class
from autograder.labs.lab import Lab, load_lab
from autograder.stage.isolation import probe
from autograder.submission.submissions import Submission, find_submissions
from autograder.trial.assess import assess

STUDENTS = int(os.environ.get("STUDENTS", "82"))


def main() -> None:
    lab = load_lab("init")
    with tempfile.TemporaryDirectory() as scratch:
        submissions = class_of(lab, Path(scratch))
        print(f"mode {probe().mode}, {STUDENTS} students, {len(lab.scenarios)} scenarios each")
        speeds: dict[int, float] = {}
        for jobs in sorted({1, 2, processors()}):
            speeds[jobs] = speed(lab, submissions, Path(scratch) / f"{jobs}.sqlite", jobs)
            print(
                f"{jobs} worker processes: {speeds[jobs]:.0f} scenarios/s, "
                f"{speeds[jobs] / speeds[1]:.2f} times as many as 1; "
                f"the grader's own memory so far: {peak():.0f} MB"
            )


def class_of(lab: Lab, scratch: Path) -> list[Submission]:
    make_class(lab, scratch / "demo")
    demo = sorted((scratch / "demo").iterdir())
    for number in range(STUDENTS):
        original = demo[number % len(demo)]
        shutil.copytree(original, scratch / "class" / f"student_{number:04}")
    return find_submissions(scratch / "class", lab.name)


def speed(lab: Lab, submissions: list[Submission], book: Path, jobs: int) -> float:
    """Scenarios a second."""
    with Gradebook(book) as gradebook:
        started = time.monotonic()
        grade(lab, submissions, gradebook, assess=assess, jobs=jobs, mode=probe().mode)
        return len(submissions) * len(lab.scenarios) / (time.monotonic() - started)


def peak() -> float:
    """MB at most so far, of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
