"""The terminal: one submission explained, a class in a table, a play step by step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.grading.records import Result
from autograder.reports.cells import number
from autograder.reports.feedback import (
    MARKS,
    STYLES,
    common_reason,
    explanation,
    headline,
    side_by_side,
    summary,
    wrapped,
)
from autograder.safe_text import safe_text
from autograder.trial.verdict import Assessment, Status, Verdict
from forklab.history import History

_LONGEST_TABLE = 30


def console(*, to_stderr: bool = False) -> Console:
    """A console that shows text as it is: nothing in a name or a message is taken for markup."""
    return Console(stderr=to_stderr, markup=False, highlight=False, emoji=False)


def show_assessment(screen: Console, assessment: Assessment, why: Mapping[str, str]) -> None:
    """A line a scenario, an explanation below what did not pass, the score at the end."""
    reason = common_reason(assessment)
    if reason is not None:
        status = assessment.verdicts[0].status
        say(screen, Text(f"{MARKS[status]} {status}  no scenario could be played", STYLES[status]))
        for line in wrapped(reason, screen.width):
            say(screen, Text("    ").append_text(line))
    else:
        widest = max((len(verdict.scenario) for verdict in assessment.verdicts), default=0)
        for verdict in assessment.verdicts:
            say(screen, headline(verdict, widest))
            if verdict.status is Status.SKIPPED:
                for line in wrapped(verdict.message, screen.width, "dim"):
                    say(screen, Text("    ").append_text(line))
            elif verdict.status is not Status.PASSED:
                say(screen)
                for line in explanation(verdict, why.get(verdict.scenario, ""), screen.width):
                    say(screen, line)
                say(screen)
    say(screen)
    say(screen, summary(assessment))


def show_class(screen: Console, results: Iterable[Result], of: int, index: Path) -> None:
    """Who got how much and what to look at first; the grader's own errors are shouted."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("student", overflow="fold")
    table.add_column("score", justify="right")
    table.add_column("status")
    table.add_column("first failing scenario", overflow="fold")
    errors: list[Result] = []
    shown = total = 0
    for result in results:
        total += 1
        assessment = result.assessment
        if assessment.status is Status.ERROR:
            errors.append(result)
        if shown < _LONGEST_TABLE:
            shown += 1
            table.add_row(*_row(result))
    say(screen)
    screen.print(table)
    if total > shown:
        say(screen, Text(f"... and {total - shown} more: see the report."))
    if total < of:
        say(screen, Text(f"{of - total} of {of} students are not graded yet."))
    for result in errors:
        message = next(v.message for v in result.assessment.verdicts if v.status is Status.ERROR)
        last_line = safe_text(message).strip().rsplit("\n", 1)[-1]
        say(
            screen,
            Text.assemble((" ERROR ", STYLES[Status.ERROR]), f" {result.student}: {last_line}"),
        )
    if errors:
        say(
            screen,
            Text(
                "Errors are the grader's own trouble: they cost no points. Grade again with --resume."
            ),
        )
    say(screen)
    say(screen, Text(f"Report: {index}"))


def show_play(screen: Console, verdict: Verdict) -> None:
    """The play line by line, with the processes after each line at which something happened to them."""
    for line_number, step in enumerate(verdict.script.rstrip().splitlines(), start=1):
        here = line_number == verdict.failed_step
        say(
            screen,
            Text(
                f"{'▶' if here else ' '} {line_number:>2}  {step}", "bold red" if here else "bold"
            ),
        )
        if here:
            break
        if any(event.t == line_number for event in verdict.observed.events):
            for row in side_by_side(
                _until(verdict.expected, line_number),
                _until(verdict.observed, line_number),
                {},
                {},
                screen.width - 6,
            ):
                say(screen, Text("      ").append_text(row))
    say(screen)
    say(screen, headline(verdict))
    if verdict.status is not Status.PASSED:
        for line in explanation(verdict, width=screen.width, with_play=False):
            say(screen, line)


def say(screen: Console, line: Text | str = "") -> None:
    """One line, never broken or cut by us: the terminal folds what is too long."""
    screen.print(line, soft_wrap=True)


def _row(result: Result) -> tuple[Text, Text, Text, Text]:
    assessment = result.assessment
    late = f"  {number(result.penalty)} off: late" if result.penalty else ""
    failing = [v for v in assessment.verdicts if v.status is Status.FAILED]
    failed = sum(1 for _ in failing)
    more = f"  and {failed - 1} more" if failed > 1 else ""
    status = assessment.status
    return (
        Text(result.student),
        Text(f"{number(result.score)}/{number(assessment.max_score)}{late}"),
        Text(f"{MARKS[status]} {status}", STYLES[status]),
        Text(f"{failing[0].scenario}{more}" if failing else ""),
    )


def _until(history: History, line_number: int) -> History:
    events = tuple(event for event in history.events if event.t <= line_number)
    return History(history.processes, events)
