"""junit.xml: a test suite a student, a test case a scenario, for continuous integration."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from autograder.feedback import count, plain
from autograder.gradebook import Gradebook, Result, Run
from autograder.printable import first_sentence, printable
from autograder.reports.files import write_whole
from autograder.verdict import Status, Verdict

_ELEMENTS = {Status.FAILED: "failure", Status.ERROR: "error", Status.SKIPPED: "skipped"}


def write(gradebook: Gradebook, run: Run, path: Path) -> None:
    suites = Element("testsuites", name=run.lab)
    for result in gradebook.results(run):
        suites.append(_suite(run, result))
    indent(suites)
    write_whole(path, tostring(suites, encoding="utf-8", xml_declaration=True).decode() + "\n")


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
    for verdict in result.assessment.verdicts:
        suite.append(_case(f"{run.lab}.{result.student}", verdict))
    return suite


def _case(classname: str, verdict: Verdict) -> Element:
    case = Element("testcase", classname=classname, name=verdict.scenario)
    if verdict.status in _ELEMENTS:
        message = f"{verdict.title}: {first_sentence(verdict.message)}"
        outcome = SubElement(case, _ELEMENTS[verdict.status], message=printable(message))
        outcome.text = printable(plain(verdict))
    return case
