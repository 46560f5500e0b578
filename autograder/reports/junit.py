"""junit.xml: a test suite a student, a test case a scenario, for continuous integration."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring
from xml.sax.saxutils import quoteattr

from autograder.grading.records import Result, Run
from autograder.reports.cells import first_sentence
from autograder.reports.feedback import common_reason, count, plain
from autograder.reports.files import write_whole
from autograder.safe_text import safe_text
from autograder.trial.verdict import Status, Verdict

_ELEMENTS = {Status.FAILED: "failure", Status.ERROR: "error", Status.SKIPPED: "skipped"}


class Suites:
    """The whole file; it is there once it is closed."""

    def __init__(self, run: Run, path: Path) -> None:
        self._run = run
        self._path = path
        self._text = [
            f"<?xml version='1.0' encoding='utf-8'?>\n<testsuites name={quoteattr(run.lab)}>\n"
        ]

    def add(self, result: Result) -> None:
        suite = _suite(self._run, result)
        indent(suite)
        self._text.append(tostring(suite, encoding="unicode") + "\n")

    def close(self) -> None:
        write_whole(self._path, "".join([*self._text, "</testsuites>\n"]))


def _suite(run: Run, result: Result) -> Element:
    counts = count(result.assessment)
    suite = Element(
        "testsuite",
        name=result.student,
        tests=str(len(result.assessment.verdicts)),
        failures=str(counts[Status.FAILED]),
        errors=str(counts[Status.ERROR]),
        skipped=str(counts[Status.SKIPPED]),
        time=f"{result.seconds:.3f}",
    )
    reason = common_reason(result.assessment)
    for verdict in result.assessment.verdicts:
        suite.append(_case(f"{run.lab}.{result.student}", verdict, told=reason is not None))
    if reason is not None:
        SubElement(suite, "system-err").text = safe_text(reason)
    return suite


def _case(classname: str, verdict: Verdict, *, told: bool) -> Element:
    """One scenario; `told`: what is to be said of it stands in the suite's system-err, once for all of them."""
    case = Element("testcase", classname=classname, name=verdict.scenario)
    if verdict.status in _ELEMENTS:
        message = f"{verdict.title}: {first_sentence(verdict.message)}"
        outcome = SubElement(case, _ELEMENTS[verdict.status], message=safe_text(message))
        outcome.text = None if told else _text(verdict)
    return case


@lru_cache(maxsize=4096)
def _text(verdict: Verdict) -> str:
    return safe_text(plain(verdict))
