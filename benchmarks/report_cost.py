"""What the reports of a large class cost: time, size on disk, memory; against a floor that only reads the gradebook.

The class is 1,000 students who have handed in the demo class's solutions, starters and mutants. One in ten has verdicts
of its own, so that not everything is alike.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from autograder.grading.grade import grade
from autograder.grading.gradebook import Gradebook
from autograder.grading.records import Asked, Result
from autograder.labs.demo_class import make_class
from autograder.labs.lab import load_lab
from autograder.reports.write import write_reports
from autograder.submission.submissions import find_submissions
from autograder.trial.assess import assess
from autograder.trial.verdict import Assessment

STUDENTS = 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        book = Path(scratch) / "gradebook.sqlite"
        distinct = make_book(Path(scratch) / "class", Path(scratch) / "small.sqlite", book)
        with Gradebook(book) as gradebook:
            run = gradebook.latest_run()
            assert run is not None
            started = time.monotonic()
            rows = gradebook_rows(book)
            floor = time.monotonic() - started
            before = peak()
            started = time.monotonic()
            write_reports(gradebook, run, Path(scratch) / "out")
            took = time.monotonic() - started
        size = sum(f.stat().st_size for f in (Path(scratch) / "out").rglob("*") if f.is_file())
        print(
            f"{STUDENTS} students, {rows} verdicts, {distinct} of them different: reports in {took:.1f} s, "
            f"{size / 1e6:.0f} MB, {peak() - before:.0f} MB of memory more than before"
        )
        print(f"against reading the same verdicts and their JSON: {took / floor:.1f} times")


def make_book(submissions: Path, small: Path, large: Path) -> int:
    """A gradebook of STUDENTS; answers how many different verdicts are in it."""
    lab = load_lab("init")
    make_class(lab, submissions)
    with Gradebook(small) as book:
        run = grade(lab, find_submissions(submissions, lab.name), book, assess=assess)
        found = [result.assessment for result in book.results(run)]
    asked = [Asked.of(scenario) for scenario in lab.scenarios]
    names = [f"student {number:04}" for number in range(STUDENTS)]
    texts = set()
    with Gradebook(large) as book:
        run = book.begin(lab.name, lab.title, asked, names)
        for name, one in zip(names, students(found), strict=True):
            book.record(run, Result(name, one, 1.0))
            texts.update(json.dumps(v.to_json()) for v in one.verdicts)
    return len(texts)


def students(found: list[Assessment]) -> Iterator[Assessment]:
    for number in range(STUDENTS):
        one = found[number % len(found)]
        if number % 10 == 0:
            own = tuple(replace(v, message=f"{v.message} ({number})") for v in one.verdicts)
            one = replace(one, verdicts=own)
        yield one


def gradebook_rows(book: Path) -> int:
    import sqlite3

    rows = 0
    for (whole,) in sqlite3.connect(book).execute("SELECT whole FROM verdict"):
        json.loads(whole)
        rows += 1
    return rows


def peak() -> float:
    """MB of memory at most so far, of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
