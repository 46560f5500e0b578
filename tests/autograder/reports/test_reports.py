"""Every report says the same, in its own form, and no name or message can break it."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_class import (
    ASKED,
    CLASS,
    COMPILER,
    assessment,
    does_not_build,
    failed,
    nothing_handed_in,
)

from autograder.grading.gradebook import Gradebook
from autograder.grading.records import Result, Terms
from autograder.reports.files import file_stems
from autograder.reports.write import write_reports
from autograder.safe_text import one_line
from autograder.trial.verdict import Assessment, Status, Verdict

HOSTILE = [
    "<script>alert('h')</script>",
    "../../etc/passwd",
    "quo\"te's & <b>",
    "=HYPERLINK(1)",
    "index",
    "Index",
    "ada",
    "ADA",
    one_line("new\nline \x1b[31m"),
    one_line(os.fsdecode(b"caf\xe9")),
    "陈伟",
    "x" * 240,
    "...",
    "{{ 123 * 1000 }}",
]

# What Gradescope documents for results.json.
GRADESCOPE = {
    "type": "object",
    "required": ["score", "tests"],
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "output": {"type": "string"},
        "output_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]},
        "visibility": {"enum": ["visible", "hidden", "after_due_date", "after_published"]},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "score", "max_score", "output"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "number": {"type": "string"},
                    "score": {"type": "number", "minimum": 0},
                    "max_score": {"type": "number", "minimum": 0},
                    "status": {"enum": ["passed", "failed"]},
                    "output": {"type": "string"},
                    "output_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]},
                    "visibility": {"enum": ["visible", "hidden"]},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
    },
}


def reports_on(out: Path, students: dict[str, Assessment], absent: list[str] | None = None) -> Path:
    out.mkdir(exist_ok=True)
    with Gradebook(out / "gradebook.sqlite") as gradebook:
        names = sorted([*students, *(absent or [])])
        run = gradebook.begin("init", "Write an init", ASKED, names)
        for student, given_assessment in students.items():
            gradebook.record(run, Result(student, given_assessment, 0.5))
        write_reports(gradebook, run, out)
    return out


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reports_on(tmp_path_factory.mktemp("class"), CLASS, absent=["zoe"])


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    message = "It said:\n    </pre><script>alert(1)</script> ]]> \\x1b \x1b[2J \x00 {{ 1 + 1 }}"
    bad = failed(ASKED[0])
    verdict = Verdict(
        bad.scenario, bad.title, Status.FAILED, 0, 2, message, "main says <script>\n", 1
    )
    students = {name: Assessment("init", "pidns", (verdict,)) for name in HOSTILE}
    return reports_on(tmp_path_factory.mktemp("hostile"), students)


class Page(HTMLParser):
    """What a test needs to know of a page: its tags, links, ids and text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self._in_style = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append(tag)
        self._in_style = tag == "style"
        if tag == "a":
            self.links.append(attributes["href"] or "")
        if identity := attributes.get("id"):
            self.ids.append(identity)
        for key in ("src", "srcset", "data", "xlink:href"):
            if key in attributes:
                self.loads.append(f"{tag} {attributes[key]}")
        if tag == "link":
            self.loads.append(f"link {attributes.get('href')}")
        if any(key.startswith("on") for key in attributes):
            self.loads.append(f"{tag} has a script")

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if not self._in_style:
            self.text += data


def rows_of(out: Path) -> dict[str, dict[str, str]]:
    with (out / "grades.csv").open(newline="", encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def pages_of(out: Path) -> Iterator[Page]:
    for path in sorted((out / "report").glob("*.html")):
        yield Page(path)


def test_grades_have_a_row_a_student_and_a_column_a_scenario(out: Path) -> None:
    rows = rows_of(out)
    assert set(rows) == {*CLASS, "zoe"}
    header = ["student", "score", "max_score", "status", *(asked.name for asked in ASKED)]
    assert list(rows["ada"]) == header


def test_a_grade_tells_the_four_outcomes_apart(out: Path) -> None:
    rows = rows_of(out)
    assert rows["ben"]["03_orphan"] == "0"
    assert rows["ada"]["03_orphan"] == "5"
    assert rows["fatima"]["10_terminal"] == "error"
    assert rows["chen wei"]["10_terminal"] == "skipped"
    assert [rows[name]["status"] for name in ("ada", "ben", "fatima", "zoe")] == [
        "passed",
        "failed",
        "error",
        "not graded",
    ]


def test_what_was_not_judged_counts_in_neither_sum(out: Path) -> None:
    rows = rows_of(out)
    assert (rows["fatima"]["score"], rows["fatima"]["max_score"]) == ("39", "39")
    assert (rows["chen wei"]["score"], rows["chen wei"]["max_score"]) == ("29", "34")


def test_a_spreadsheet_does_not_compute_a_name(hostile: Path) -> None:
    assert "'=HYPERLINK(1)" in rows_of(hostile)


def test_gradescope_can_read_every_result(out: Path, hostile: Path) -> None:
    found = [*(out / "results").iterdir(), *(hostile / "results").iterdir()]
    assert len(found) == len(CLASS) + len(HOSTILE)
    for path in found:
        jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), GRADESCOPE)


def test_gradescope_gets_score_and_message_in_the_order_of_the_lab(out: Path) -> None:
    results = json.loads((out / "results/ben.json").read_text(encoding="utf-8"))
    assert results["score"] == 32 == sum(test["score"] for test in results["tests"])
    assert [test["tags"] for test in results["tests"]] == [[asked.name] for asked in ASKED]
    orphan = results["tests"][2]
    assert (orphan["status"], orphan["score"], orphan["max_score"]) == ("failed", 0, 5)
    assert "your init is asleep in" in orphan["output"]
    assert "▶  7  expect child is reaped   ◀ failed here" in orphan["output"]
    expected, observed = orphan["output"].split("expected\n")[1].split("observed\n")
    assert "reaped by init" in expected
    assert "zombie · exited 0 ≠ should be reaped by init" in observed


def test_gradescope_neither_passes_nor_fails_what_was_not_judged(out: Path) -> None:
    terminal = json.loads((out / "results/fatima.json").read_text())["tests"][9]
    assert "status" not in terminal
    assert (terminal["score"], terminal["max_score"]) == (0, 0)
    assert terminal["name"].endswith("(error, not counted)")


def test_junit_has_a_suite_a_student_with_right_counts(out: Path) -> None:
    suites = {s.get("name"): s for s in ElementTree.parse(out / "junit.xml").getroot()}
    assert set(suites) == set(CLASS)
    for student, suite in suites.items():
        for attribute, tag in (
            ("tests", "testcase"),
            ("failures", "testcase/failure"),
            ("errors", "testcase/error"),
            ("skipped", "testcase/skipped"),
        ):
            assert int(suite.get(attribute, "")) == len(suite.findall(tag)), student
    failure = suites["ben"].find("testcase[@name='03_orphan']/failure")
    assert failure is not None
    assert "stayed a zombie" in failure.get("message", "")
    assert "expect child is reaped" in (failure.text or "")


def test_junit_has_the_compilers_words_once(out: Path) -> None:
    [dora] = ElementTree.parse(out / "junit.xml").findall("testsuite[@name='dora']")
    assert [text for text in dora.itertext() if text.strip()] == [COMPILER]
    assert dora.findtext("system-err") == COMPILER


def test_junit_is_well_formed_whatever_was_printed(hostile: Path) -> None:
    root = ElementTree.parse(hostile / "junit.xml").getroot()
    assert {suite.get("name") for suite in root} == set(HOSTILE)


def test_every_link_of_the_overview_leads_somewhere(out: Path, hostile: Path) -> None:
    for folder, students in ((out, CLASS), (hostile, HOSTILE)):
        targets = set()
        for link in Page(folder / "report/index.html").links:
            file, _, anchor = link.partition("#")
            if file:
                page = Page(folder / "report" / unquote(file))
                assert not anchor or unquote(anchor) in page.ids, link
                targets.add(file)
        assert len(targets) == len(students)


def test_a_page_shows_names_and_messages_and_obeys_none(hostile: Path) -> None:
    for page in pages_of(hostile):
        assert page.tags.count("script") == page.tags.count("form")  # our filter
        assert "123000" not in page.text
    overview = Page(hostile / "report/index.html")
    assert all(name in overview.text for name in HOSTILE)
    student = Page(hostile / "report/陈伟.html")
    assert "</pre><script>alert(1)</script> ]]>" in student.text
    assert "\x1b" not in student.text


def test_pages_load_only_what_lies_beside_them_and_run_only_the_filter(out: Path) -> None:
    for page in pages_of(out):
        for load in page.loads:
            _, _, file = load.partition(" ")
            assert re.fullmatch(r"style\.css|legend\.svg|(films|pictures)/\w{16}\.(html|svg)", file)
            assert (out / "report" / file).exists()
        assert page.tags.count("script") == page.tags.count("form") <= 1
    for path in [*(out / "report").rglob("*.html"), *(out / "report").rglob("*.svg")]:
        assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org)", path.read_text())


def test_no_id_stands_twice_on_a_page(out: Path) -> None:
    for page in pages_of(out):
        assert len(page.ids) == len(set(page.ids))


def test_failed_scenarios_come_first_with_message_play_and_both_trees(out: Path) -> None:
    text = (out / "report/ben.html").read_text(encoding="utf-8")
    section = text[text.index('id="03_orphan"') : text.index('id="04_burst"')]
    assert "your init is asleep in" in section
    assert ASKED[2].why in section.replace("&#39;", "'")
    assert 'class="here">expect child is reaped<em>' in section
    pictures = re.findall(r"pictures/\w+\.svg", section)
    assert [(out / "report" / file).read_text().count("<svg") for file in pictures] == [1, 1]
    assert "≠ child should be reaped by init" in section
    assert text.index('id="04_burst"') < text.index('id="01_starts_main"')


def test_a_build_failure_is_told_once_with_the_compilers_words(out: Path) -> None:
    text = (out / "report/dora.html").read_text(encoding="utf-8")
    assert text.count("undeclared (first use in this function)") == 1
    assert "No scenario could be played" in text


def test_gradescope_gets_the_compilers_words_once(out: Path) -> None:
    results = json.loads((out / "results/dora.json").read_text(encoding="utf-8"))
    assert json.dumps(results).count("undeclared (first use in this function)") == 1
    assert "undeclared" in results["output"]
    assert {test["status"] for test in results["tests"]} == {"failed"}


def test_the_overview_shouts_errors_and_tells_who_is_not_graded(out: Path) -> None:
    text = Page(out / "report/index.html").text
    assert "The grader itself had trouble" in text
    assert text.index("fatima") < text.index("The class")
    assert "not graded yet" in text


def test_a_class_without_errors_has_nothing_to_shout(tmp_path: Path) -> None:
    text = Page(reports_on(tmp_path, {"ada": assessment()}) / "report/index.html").text
    assert "trouble" not in text
    assert "Failed most" not in text


def test_the_hardest_scenario_stands_first(tmp_path: Path) -> None:
    students = {"ada": assessment(fails=["04"]), "ben": assessment(fails=["04", "03"])}
    text = Page(reports_on(tmp_path, students) / "report/index.html").text
    assert text.index("2 of 2 failed") < text.index("1 of 2 failed")


def test_who_could_not_be_played_failed_no_scenario_and_is_told_apart(tmp_path: Path) -> None:
    out = reports_on(
        tmp_path,
        {
            "ada": assessment(),
            "ben": assessment(fails=["04"]),
            "dora": does_not_build(),
            "fay": nothing_handed_in(),
        },
    )
    text = Page(out / "report/index.html").text
    assert "1 of 2 failed" in text
    assert "of 4 failed" not in text
    assert "on average 39.5 of 42 points among those whose program could be played" in text
    assert "1 not built" in text and "1 nothing handed in" in text
    assert "fay: Nothing was handed in for this lab: the folder init does not exist." in text
    rows = rows_of(out)
    assert [rows[name]["status"] for name in ("ben", "dora", "fay")] == [
        "failed",
        "not built",
        "nothing handed in",
    ]
    assert (rows["dora"]["score"], rows["dora"]["max_score"]) == ("0", "42")
    assert "not built" in Page(out / "report/dora.html").text
    assert json.loads((out / "results/fay.json").read_text())["output"].startswith(
        "Score 0 of 42: nothing handed in."
    )


def test_what_the_compiler_warned_of_is_shown(tmp_path: Path) -> None:
    warned = "It was built, with warnings:\n\ninit.c:3: warning: unused variable <i>"
    out = reports_on(tmp_path, {"ada": replace(assessment(), remarks=warned)})
    text = Page(out / "report/ada.html").text
    assert "init.c:3: warning: unused variable <i>" in text
    assert "unused variable" in json.loads((out / "results/ada.json").read_text())["output"]


def test_no_sentence_stands_twice_on_a_page(out: Path, tmp_path: Path) -> None:
    everything = [asked.name[:2] for asked in ASKED]
    folder = reports_on(tmp_path, {"gus": assessment(fails=everything)}) / "report"
    for page in (folder / "gus.html", out / "report/ben.html", out / "report/dora.html"):
        text = re.sub(
            r"<ol class=.play.*?</ol>|<pre.*?</pre>", "", page.read_text(), flags=re.DOTALL
        )
        prose = re.sub(r"<[^>]+>", "\n", text)
        sentences = [
            one.strip() for line in prose.split("\n") for one in re.split(r"[.!?:] ", line)
        ]
        long = [sentence for sentence in sentences if len(sentence.split()) > 4]
        told = [sentence for sentence in long if not sentence.startswith("≠")]
        assert len(told) == len(set(told)), [one for one in told if told.count(one) > 1]
        assert len(told) > 10
    again = Page(folder / "gus.html")
    assert "As in 01_starts_main." in again.text


@pytest.mark.parametrize("anew", [False, True])
def test_who_left_the_class_leaves_every_report(tmp_path: Path, anew: bool) -> None:
    out = reports_on(tmp_path, {"ada": assessment(), "ben": assessment(fails=["03"])})
    assert (out / "report/ben.html").exists()
    with Gradebook(out / "gradebook.sqlite") as book:
        run = book.latest_run()
        assert run is not None
        run = book.begin("init", "", ASKED, ["ada"]) if anew else book.go_on(run, ASKED, ["ada"])
        write_reports(book, run, out)
    assert set(rows_of(out)) == {"ada"}
    assert list(out.rglob("ben*")) == []
    assert "ben" not in Page(out / "report/index.html").text
    assert (out / "results/ada.json").exists()
    with Gradebook(out / "gradebook.sqlite") as book:
        write_reports(book, book.go_on(run, ASKED, ["ada", "ben"]), out)
    assert rows_of(out)["ben"]["score"] == ("" if anew else "37"), "the attempt is still there"


def test_what_was_judged_anew_is_said(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        run = book.begin("init", "Write an init", ASKED, ["ada"])
        plays = {asked.name: "as it was" for asked in ASKED}
        attempt, _ = book.open_attempt(run, "ada", Terms("files", "lab", 0, plays))
        book.finish(attempt, Result("ada", assessment()), range(len(ASKED)))
        changed = Terms("files", "other", 0, {**plays, "03_orphan": "as it is"})
        attempt, kept = book.open_attempt(run, "ada", changed, keep=True)
        assert kept == set(plays) - {"03_orphan"}
        verdict = failed(ASKED[2])
        book.finish(attempt, Result("ada", replace(assessment(), verdicts=(verdict,))), [2])
        write_reports(book, run, tmp_path)
    assert "judged anew: 03_orphan." in Page(tmp_path / "report/index.html").text
    assert "1 of the scenarios is judged anew" in Page(tmp_path / "report/ada.html").text
    assert rows_of(tmp_path)["ada"]["score"] == "37"


def test_the_overview_says_who_has_handed_in_the_same_and_no_students_page_does(
    tmp_path: Path,
) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        run = book.begin("init", "Write an init", ASKED, ["ada", "ben", "chen"])
        terms = Terms("files", "lab", 0, {asked.name: "play" for asked in ASKED})
        for student, its in (("ada", terms), ("ben", replace(terms, files="other files"))):
            attempt, _ = book.open_attempt(run, student, its)
            book.finish(attempt, Result(student, assessment()), range(len(ASKED)))
        assert book.take_over(run, "chen", terms) is not None
        write_reports(book, run, tmp_path)
    assert "is judged once: ada = chen." in Page(tmp_path / "report/index.html").text
    assert "ada" not in Page(tmp_path / "report/chen.html").text


def test_reports_leave_nothing_half_written(out: Path) -> None:
    assert not list(out.rglob("*.part"))


def test_a_plain_name_is_its_own_file_name() -> None:
    assert file_stems(["ada", "chen wei", "a.b+c@d-e"]) == {
        "ada": "ada",
        "chen wei": "chen wei",
        "a.b+c@d-e": "a.b+c@d-e",
    }


def test_the_page_of_a_student_called_index_is_not_the_overview() -> None:
    assert file_stems(["index"])["index"] != "index"


@given(st.lists(st.text(min_size=1, max_size=12).map(one_line), unique=True, max_size=8))
def test_file_names_are_safe_and_unique_in_any_case(students: list[str]) -> None:
    stems = file_stems([*students, *HOSTILE]).values()
    assert len({stem.casefold() for stem in stems}) == len(stems)
    for stem in stems:
        assert stem not in ("", ".", "..", "index")
        assert not re.search(r"[/\\:<>\"'|?*%#&\x00-\x1f]", stem)
        assert not stem.startswith(".")
        assert len(stem.encode()) <= 120


def test_the_report_of_a_failed_build_and_of_a_fault_of_ours_differ(tmp_path: Path) -> None:
    broken = does_not_build()
    ours = Assessment(
        "init",
        "",
        tuple(
            Verdict(v.scenario, v.title, Status.ERROR, 0, v.max_points, "We broke down.", v.script)
            for v in broken.verdicts
        ),
    )
    folder = reports_on(tmp_path, {"dora": broken, "ours": ours}) / "report"
    assert 'class="card bad"' in (folder / "dora.html").read_text()
    assert 'class="card ours"' in (folder / "ours.html").read_text()
