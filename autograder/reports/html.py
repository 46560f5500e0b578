"""The pages: an overview of the class, and one a student; each works offline and without scripts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from autograder.feedback import MARKS, common_reason, count, stretches
from autograder.gradebook import Asked, Gradebook, Result, Run
from autograder.printable import first_sentence, number, printable
from autograder.reports.files import file_stems, write_whole
from autograder.verdict import Status, Verdict
from forklab.draw import STYLE_SHEET, legend_svg, tree_svg, tree_text
from forklab.draw.fold import in_a_row, label
from forklab.history import Remark, Tree

_MODES: Mapping[str, str] = {
    "pidns": "Judged as the real PID 1 of a PID namespace (mode pidns).",
    "subreaper": "Judged as a child subreaper, not as PID 1 (mode subreaper).",
    "": "Nothing was started.",
}


@dataclass(frozen=True)
class Row:
    """One student in the overview; `link` is empty if there is no page yet."""

    student: str
    link: str = ""
    score: float = 0
    max_score: float = 0
    statuses: Mapping[str, str] = field(default_factory=dict)
    first_error: str = ""


@dataclass(frozen=True)
class Difficulty:
    """How many of those who were judged on a scenario failed it."""

    name: str
    title: str
    failed: int
    judged: int


def write(gradebook: Gradebook, run: Run, folder: Path) -> Path:
    """Writes index.html and a page a student; answers the index."""
    environment = _environment()
    page = environment.get_template("student.html")
    stems = file_stems(run.students)
    rows = []
    for student in run.students:
        result = gradebook.result(run, student)
        if result is None:
            rows.append(Row(student))
            continue
        file_name = f"{stems[student]}.html"
        write_whole(folder / file_name, page.render(**_student(run, result)))
        rows.append(_row(result, quote(file_name)))
    index = folder / "index.html"
    write_whole(index, environment.get_template("index.html").render(**_overview(run, rows)))
    return index


def _student(run: Run, result: Result) -> dict[str, object]:
    verdicts = result.assessment.verdicts

    def those(*statuses: Status) -> list[Verdict]:
        return [verdict for status in statuses for verdict in verdicts if verdict.status is status]

    return {
        "run": run,
        "student": result.student,
        "overview": True,
        "assessment": result.assessment,
        "counts": {str(status): number for status, number in count(result.assessment).items()},
        "mode": _MODES.get(result.assessment.mode, f"Mode {result.assessment.mode}."),
        "reason": common_reason(result.assessment),
        "why": {verdict.scenario: "" for verdict in verdicts}
        | {asked.name: asked.why.strip() for asked in run.scenarios},
        "attention": those(Status.ERROR, Status.FAILED),
        "skipped": those(Status.SKIPPED),
        "passed": those(Status.PASSED),
        "legend": Markup(legend_svg()),
    }


def _row(result: Result, link: str) -> Row:
    assessment = result.assessment
    errors = [v.message for v in assessment.verdicts if v.status is Status.ERROR]
    last_line = result.trouble.strip().rsplit("\n", 1)[-1]
    return Row(
        result.student,
        link,
        assessment.score,
        assessment.max_score,
        {verdict.scenario: str(verdict.status) for verdict in assessment.verdicts},
        first_sentence(last_line or (errors[0] if errors else "")),
    )


def _overview(run: Run, rows: Sequence[Row]) -> dict[str, object]:
    graded = [row for row in rows if row.link]
    return {
        "run": run,
        "rows": [_with_every_scenario(row, run.scenarios) for row in rows],
        "graded": graded,
        "average": sum(row.score for row in graded) / max(1, len(graded)),
        "possible": sum(asked.points for asked in run.scenarios),
        "errors": [row for row in graded if row.first_error],
        "hardest": _hardest(run.scenarios, graded),
    }


def _with_every_scenario(row: Row, scenarios: Sequence[Asked]) -> dict[str, object]:
    return {**vars(row), "statuses": {a.name: row.statuses.get(a.name, "") for a in scenarios}}


def _hardest(scenarios: Sequence[Asked], rows: Sequence[Row], limit: int = 8) -> list[Difficulty]:
    found = []
    for asked in scenarios:
        words = Counter(row.statuses.get(asked.name) for row in rows)
        failed, judged = words["failed"], words["failed"] + words["passed"]
        if failed:
            found.append(Difficulty(asked.name, asked.title, failed, judged))
    return sorted(found, key=lambda entry: -entry.failed / entry.judged)[:limit]


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("autograder.reports", "templates"),
        autoescape=True,  # names and messages come from strangers
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    style, _, _ = environment.loader.get_source(environment, "report.css")  # type: ignore[union-attr]
    environment.globals.update(
        style=Markup(f"{style}\n{STYLE_SHEET}"),
        marks={str(status): mark for status, mark in MARKS.items()},
    )
    environment.filters.update(
        number=number,
        printable=printable,
        stretches=stretches,
        lead=_lead,
        unexpected=_unexpected,
        lines=lambda text: text.rstrip().splitlines(),
        day=lambda moment: moment.replace("T", " ")[:16] + " UTC",
        expected_svg=lambda v: _drawn(v, "expected"),
        observed_svg=lambda v: _drawn(v, "observed"),
        observed_text=lambda v: tree_text(v.observed.tree(), v.remarks),
    )
    return environment


def _lead(prose: str) -> tuple[str, str]:
    """What happened, and the rest: split after the first sentence or, if sooner, the first colon."""
    end = re.search(r"[.:](?=\s)", prose)
    return (prose[: end.end()], prose[end.end() :]) if end else (prose, "")


def _unexpected(verdict: Verdict) -> list[tuple[str, str]]:
    """What the badges of the picture say, a row of processes as one: ("g2..g8", "should be ...")."""
    found: list[tuple[tuple[str, ...], str]] = []
    for name, remark in verdict.remarks.items():
        if remark.unexpected is None:
            continue
        if found and found[-1][1] == remark.unexpected and in_a_row(found[-1][0][-1], name):
            found[-1] = ((*found[-1][0], name), remark.unexpected)
        else:
            found.append(((name,), remark.unexpected))
    return [(label(names), words) for names, words in found]


def _drawn(verdict: Verdict, kind: str) -> Markup:
    history = verdict.expected if kind == "expected" else verdict.observed
    remarks = verdict.expected_remarks if kind == "expected" else verdict.remarks
    return Markup(_svg(history.tree(), tuple(sorted(remarks.items()))))


@lru_cache(maxsize=512)  # a class makes the same mistakes: most of its pictures are alike
def _svg(tree: Tree, remarks: tuple[tuple[str, Remark], ...]) -> str:
    return tree_svg(tree, dict(remarks), styled=False)
