"""All reports about a class, from one reading of its gradebook."""

from __future__ import annotations

from pathlib import Path

from autograder.grading.gradebook import Gradebook
from autograder.grading.records import Run
from autograder.reports.files import stems_left_behind
from autograder.reports.grades import Grades
from autograder.reports.gradescope import ResultsFolder
from autograder.reports.html import Site
from autograder.reports.junit import Suites


def write_reports(gradebook: Gradebook, run: Run, out: Path) -> Path:
    """Writes every report about `run` into `out`; answers the page to open first.

    The gradebook is read once, and one student at a time is in memory.
    """
    site = Site(run, out / "report")
    grades = Grades(run, out / "grades.csv")
    results = ResultsFolder(run, out / "results")
    suites = Suites(run, out / "junit.xml")
    for student in run.students:
        result = gradebook.result(run, student)
        site.add(student, result)
        grades.add(student, result)
        if result is not None:
            results.add(result)
            suites.add(result)
    grades.close()
    suites.close()
    site.close(gradebook.seconds(run), gradebook.alike(run))
    for stem in stems_left_behind(gradebook.left(run), run.students):
        for file in (
            f"report/{stem}.html",
            f"report/instructor/{stem}.html",
            f"results/{stem}.json",
        ):
            (out / file).unlink(missing_ok=True)
    return site.index
