"""The pages: an overview of the class, and one a student; each works offline and without scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment
from markupsafe import Markup

from autograder.grading.records import Asked, Result, Run
from autograder.language.roles import PIDNS, SUBREAPER, VIRTUAL, VIRTUAL_SUBREAPER
from autograder.reports.cells import first_line, first_sentence
from autograder.reports.feedback import STANDING_MARKS, common_reason, count
from autograder.reports.files import file_stems, write_whole
from autograder.reports.once import Once
from autograder.reports.sections import Sections, Told, environment
from autograder.reports.veil import has_hidden, veiled
from autograder.trial.verdict import Status, Verdict

_MODES: Mapping[str, str] = {
    PIDNS: "Judged in a PID namespace of its own (mode pidns).",
    VIRTUAL_SUBREAPER: "Judged without namespaces, in virtual time (mode virtual-subreaper).",
    VIRTUAL: "Judged in a PID namespace of its own, in virtual time (mode virtual).",
    SUBREAPER: "Judged without namespaces of its own (mode subreaper).",
    "": "Nothing was started.",
}


@dataclass(frozen=True)
class Row:
    """One student in the overview; `link` is empty if there is no page yet.

    `hindrance` is the reason why nothing could be played, and the cells are empty then.
    """

    student: str
    link: str = ""
    score: float = 0
    max_score: float = 0
    status: str = ""
    hindrance: str = ""
    cells: tuple[str, ...] = ()  # the statuses, in the order of the lab
    anew: tuple[str, ...] = ()
    first_error: str = ""
    seconds: float = 0
    unenforced: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difficulty:
    """How many of those who were judged on a scenario failed it."""

    name: str
    title: str
    failed: int
    judged: int


@dataclass(frozen=True)
class Bar:
    """One bar of the histogram: which per cents, how many students, how high in per cent of the picture."""

    label: str
    students: int
    height: float


class Site:
    """index.html and a page a student in `folder`; students are added by name, None is one who is not graded yet.

    Where scenarios are hidden, the pages in `folder` are for students, and the overview leads to those in
    `folder`/instructor, which show everything.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self.index = folder / "index.html"
        self._run = run
        self._templates = environment()
        self._stems = file_stems(run.students)
        self._for_students = _Pages(self._templates, run, folder, "index.html")
        self._whole = self._for_students
        if has_hidden(run):
            self._whole = _Pages(self._templates, run, folder / "instructor", "../index.html")
        self._rows: list[Row] = []

    def add(self, student: str, result: Result | None) -> None:
        if result is None:
            self._rows.append(Row(student))
            return
        file_name = f"{self._stems[student]}.html"
        link = quote(file_name)
        self._for_students.write(veiled(self._run, result), file_name)
        if self._whole is not self._for_students:
            self._whole.write(result, file_name)
            link = f"instructor/{link}"
        self._rows.append(_row(self._run, result, link))

    def close(self, seconds: Mapping[str, float], alike: Sequence[Sequence[str]] = ()) -> None:
        """Writes the overview; `seconds` is how long the plays of each scenario took on average.

        `alike`: who has handed in the same as others, file by file.
        """
        facts = _overview(self._run, self._rows, seconds) | {"alike": alike}
        write_whole(self.index, self._templates.get_template("index.html").render(**facts))


class _Pages:
    """The students' pages in one folder."""

    def __init__(self, templates: Environment, run: Run, folder: Path, index: str) -> None:
        self._page = templates.get_template("student.html")
        self._sections = Sections(templates, folder)
        self._run = run
        self._folder = folder
        self._index = index
        self._why = {asked.name: asked.why.strip() for asked in run.scenarios}

    def write(self, result: Result, file_name: str) -> None:
        facts = _student(self._run, result)
        once = Once()

        def section(verdict: Verdict) -> Markup:
            name = verdict.scenario
            why, _ = once.fresh(self._why.get(name, ""), name)
            return self._sections.section(verdict, Told(*once.fresh(verdict.message, name), why))

        page = self._page.render(**facts, index=self._index, section=section)
        write_whole(self._folder / file_name, page)


def _student(run: Run, result: Result) -> dict[str, object]:
    verdicts = result.assessment.verdicts

    def those(*statuses: Status) -> list[Verdict]:
        return [verdict for status in statuses for verdict in verdicts if verdict.status is status]

    mode = "" if result.assessment.hindrance else result.assessment.mode
    counts = {str(status): number for status, number in count(result.assessment).items()}
    return {
        "run": run,
        "student": result.student,
        "result": result,
        "assessment": result.assessment,
        "counts": counts,
        "mode": _MODES.get(mode, f"Mode {mode}."),
        "reason": common_reason(result.assessment),
        "attention": those(Status.ERROR, Status.FAILED),
        "skipped": those(Status.SKIPPED),
        "passed": those(Status.PASSED),
        "pictures": any(v.observed.events for v in those(Status.ERROR, Status.FAILED)),
    }


def _row(run: Run, result: Result, link: str) -> Row:
    assessment = result.assessment
    errors = [v.message for v in assessment.verdicts if v.status is Status.ERROR]
    last_line = result.breakdown.strip().rsplit("\n", 1)[-1]
    statuses = {verdict.scenario: str(verdict.status) for verdict in assessment.verdicts}
    cells = tuple(statuses.get(asked.name, "") for asked in run.scenarios)
    if assessment.hindrance:
        cells = ()
    return Row(
        result.student,
        link,
        result.score,
        assessment.max_score,
        assessment.standing,
        first_line(common_reason(assessment) or "") if assessment.hindrance else "",
        cells,
        result.anew,
        first_sentence(last_line or (errors[0] if errors else "")),
        result.seconds,
        result.unenforced,
    )


def _overview(run: Run, rows: Sequence[Row], seconds: Mapping[str, float]) -> dict[str, object]:
    graded = [row for row in rows if row.link]
    played = [row for row in graded if row.cells]
    counts = Counter(row.status or "not graded" for row in rows)
    slowest = sorted(seconds.items(), key=lambda entry: -entry[1])
    return {
        "run": run,
        "rows": sorted(rows, key=lambda row: row.status != "error"),
        "graded": graded,
        "played": played,
        "hindered": [row for row in graded if row.hindrance],
        "counts": {word: counts[word] for word in (*STANDING_MARKS, "not graded") if counts[word]},
        "anew": dict.fromkeys(name for row in graded for name in row.anew),
        "average": sum(row.score for row in played) / max(1, len(played)),
        "possible": sum(asked.points for asked in run.scenarios if not asked.extra),
        "errors": [row for row in graded if row.first_error],
        "unenforced": dict.fromkeys(lack for row in graded for lack in row.unenforced),
        "hardest": _hardest(run.scenarios, played),
        "histogram": _histogram(played),
        "slowest": sorted(played, key=lambda row: -row.seconds)[:5],
        "slow_scenarios": [(name, spent) for name, spent in slowest[:5] if spent],
    }


def _histogram(rows: Sequence[Row], bars: int = 10) -> list[Bar]:
    """Who has how many per cent; extra credit may lead beyond 100, who was judged on nothing is left out."""
    shares = [row.score / row.max_score for row in rows if row.max_score]
    counts = Counter(min(bars - 1, int(share * bars)) for share in shares)
    most = max(counts.values(), default=1)
    step = 100 // bars
    return [
        Bar(
            f"{step * number}-{step * (number + 1) - 1 if number < bars - 1 else 100}",
            counts[number],
            80 * counts[number] / most,
        )
        for number in range(bars)
    ]


def _hardest(scenarios: Sequence[Asked], rows: Sequence[Row], limit: int = 8) -> list[Difficulty]:
    found = []
    for place, asked in enumerate(scenarios):
        words = Counter(row.cells[place] for row in rows)
        failed, judged = words["failed"], words["failed"] + words["passed"]
        if failed:
            found.append(Difficulty(asked.name, asked.title, failed, judged))
    return sorted(found, key=lambda entry: -entry.failed / entry.judged)[:limit]
