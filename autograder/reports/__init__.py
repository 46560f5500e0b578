"""Reports: the same gradebook as pages, a table, Gradescope's and JUnit's forms. They only read."""

from __future__ import annotations

from pathlib import Path

from autograder.gradebook import Gradebook, Run
from autograder.reports import gradescope, html, junit, table


def write_reports(gradebook: Gradebook, run: Run, out: Path) -> Path:
    """Writes every report about `run` into `out`; answers the page to open first."""
    table.write(gradebook, run, out / "grades.csv")
    gradescope.write(gradebook, run, out / "results")
    junit.write(gradebook, run, out / "junit.xml")
    return html.write(gradebook, run, out / "report")
